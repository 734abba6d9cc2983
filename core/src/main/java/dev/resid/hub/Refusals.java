package dev.resid.hub;

import dev.resid.hub.Retries.ForNowException;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/** What an answer other than the one that was hoped for means, in words. */
final class Refusals {
  private static final Duration LEAST_WAIT = Duration.ofSeconds(1);

  private Refusals() {}

  /** Returns what to throw. */
  static IOException of(
      int status, HttpURLConnection answer, HubSettings settings, HubName name, String file) {
    String error = String.valueOf(answer.getHeaderField("X-Error-Code"));
    String host = settings.endpoint().getHost();
    boolean hasToken = settings.token().isPresent();
    return switch (status) {
      case 401 ->
          new HubException(
              name
                  + (hasToken
                      ? ": " + host + " does not accept the token; check HF_TOKEN and the name"
                      : ": there is no such repository on "
                          + host
                          + ", or it is private; check the name, or set HF_TOKEN"));
      case 403 ->
          new HubException(
              name
                  + ": "
                  + host
                  + " does not give "
                  + file
                  + (hasToken ? " to the owner of this token" : " without a token")
                  + "; its terms may have to be accepted on its page first, then set HF_TOKEN");
      case 404 ->
          switch (error) {
            case "RepoNotFound" ->
                new HubException(
                    name + ": there is no such repository on " + host + "; check the name");
            case "RevisionNotFound" ->
                new HubException(
                    name + ": the repository has no revision " + name.revision() + "; check it");
            default ->
                new HubClient.AbsentException(
                    name + ": the repository has no " + file,
                    answer.getHeaderField("X-Repo-Commit"));
          };
      case 408, 429, 500, 502, 503, 504 ->
          new ForNowException(
              name + ": " + host + " answers " + status + " for " + file, wait(answer), null);
      default ->
          new HubException(
              name
                  + ": the answer for "
                  + file
                  + " is HTTP status "
                  + status
                  + "; try again later");
    };
  }

  private static Optional<Duration> wait(HttpURLConnection answer) {
    String text = answer.getHeaderField("Retry-After");
    if (text == null) {
      return Optional.empty();
    }
    if (text.matches("[0-9]{1,9}")) {
      return Optional.of(atLeast(Duration.ofSeconds(Long.parseLong(text))));
    }
    try {
      Instant then = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      return Optional.of(atLeast(Duration.between(Instant.now(), then)));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  private static Duration atLeast(Duration wait) {
    return wait.compareTo(LEAST_WAIT) < 0 ? LEAST_WAIT : wait;
  }
}
