package dev.resid.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Where the cache is, which server is asked, and how. The variables are those of Python's {@code
 * huggingface_hub}: {@code HF_HUB_CACHE}, {@code HF_HOME}, {@code XDG_CACHE_HOME} for the cache,
 * {@code HF_ENDPOINT} for the server, {@code HF_TOKEN}, {@code HF_TOKEN_PATH} and the file {@code
 * token} in {@code HF_HOME} for the token, {@code HF_HUB_DISABLE_IMPLICIT_TOKEN} to send none,
 * {@code HF_HUB_OFFLINE} and {@code TRANSFORMERS_OFFLINE} to ask nobody, {@code
 * HF_HUB_DOWNLOAD_TIMEOUT} for seconds without an answer.
 *
 * @param endpoint the server, without a slash at the end
 * @param cache folder of the cache
 * @param token what the server is shown, and nobody else
 * @param access whether the server may be asked
 * @param timeout how long a silent server is waited for
 */
public record HubSettings(
    URI endpoint, Path cache, Optional<String> token, Access access, Duration timeout) {
  private static final String ENDPOINT = "https://huggingface.co";
  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
  private static final long TIMEOUT_SECONDS = 10;

  /** Whether the server may be asked. */
  public enum Access {
    /** Files that are missing are fetched. */
    ONLINE,
    /** Only what is cached is there. */
    OFFLINE
  }

  /**
   * Checks the address and the token.
   *
   * @throws IllegalArgumentException if the address is not http or https with a host, or the token
   *     has characters that no token has
   */
  public HubSettings {
    String scheme = String.valueOf(endpoint.getScheme()).toLowerCase(Locale.ROOT);
    if (endpoint.getHost() == null || !scheme.equals("https") && !scheme.equals("http")) {
      throw new IllegalArgumentException(
          "HF_ENDPOINT is \"" + endpoint + "\"; expected an address like " + ENDPOINT + ".");
    }
    if (token.isPresent() && !token.get().matches("[\\x21-\\x7e]+")) {
      throw new IllegalArgumentException(
          "the token of the hub has blanks or characters that no token has; check HF_TOKEN.");
    }
  }

  /**
   * Returns what the environment states. A Java system property of the same name as a variable
   * counts more, for programs that cannot set their environment.
   *
   * @throws IOException if the file of the token cannot be read
   * @throws IllegalArgumentException if a variable makes no sense
   */
  public static HubSettings fromEnvironment() throws IOException {
    return of(
        name -> {
          String property = System.getProperty(name);
          return property == null ? System.getenv(name) : property;
        },
        Path.of(System.getProperty("user.home")));
  }

  /**
   * Returns what variables state.
   *
   * @param variables value by name; null for one that is not set
   * @param home folder of the user
   * @throws IOException if the file of the token cannot be read
   * @throws IllegalArgumentException if a variable makes no sense
   */
  public static HubSettings of(Function<String, String> variables, Path home) throws IOException {
    Function<String, Optional<String>> get =
        name ->
            Optional.ofNullable(variables.apply(name)).map(String::strip).filter(v -> !v.isEmpty());
    Path base =
        get.apply("HF_HOME")
            .map(value -> path(value, home))
            .orElseGet(
                () ->
                    get.apply("XDG_CACHE_HOME")
                        .map(value -> path(value, home))
                        .orElse(home.resolve(".cache"))
                        .resolve("huggingface"));
    Path cache =
        get.apply("HF_HUB_CACHE")
            .or(() -> get.apply("HUGGINGFACE_HUB_CACHE"))
            .map(value -> path(value, home))
            .orElse(base.resolve("hub"));
    boolean offline =
        isTrue(get.apply("HF_HUB_OFFLINE")) || isTrue(get.apply("TRANSFORMERS_OFFLINE"));
    Optional<String> token =
        isTrue(get.apply("HF_HUB_DISABLE_IMPLICIT_TOKEN"))
            ? Optional.empty()
            : token(get, base, home);
    return new HubSettings(
        endpoint(get.apply("HF_ENDPOINT").orElse(ENDPOINT)),
        cache,
        token,
        offline ? Access.OFFLINE : Access.ONLINE,
        timeout(get.apply("HF_HUB_DOWNLOAD_TIMEOUT")));
  }

  private static Optional<String> token(
      Function<String, Optional<String>> get, Path base, Path home) throws IOException {
    Optional<String> stated = get.apply("HF_TOKEN").or(() -> get.apply("HUGGING_FACE_HUB_TOKEN"));
    if (stated.isPresent()) {
      return stated;
    }
    Path file =
        get.apply("HF_TOKEN_PATH").map(value -> path(value, home)).orElse(base.resolve("token"));
    try {
      return Optional.of(Files.readString(file).strip()).filter(text -> !text.isEmpty());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  private static URI endpoint(String text) {
    try {
      return URI.create(text.replaceAll("/+$", ""));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "HF_ENDPOINT is \"" + text + "\"; expected an address like " + ENDPOINT + ".", e);
    }
  }

  private static Duration timeout(Optional<String> seconds) {
    String text = seconds.orElse(String.valueOf(TIMEOUT_SECONDS));
    if (!text.matches("[1-9][0-9]{0,5}")) {
      throw new IllegalArgumentException(
          "HF_HUB_DOWNLOAD_TIMEOUT is \"" + text + "\"; expected a whole number of seconds.");
    }
    return Duration.ofSeconds(Long.parseLong(text));
  }

  private static Path path(String text, Path home) {
    if (text.equals("~")) {
      return home;
    }
    return text.startsWith("~/") ? home.resolve(text.substring(2)) : Path.of(text);
  }

  private static boolean isTrue(Optional<String> value) {
    return value.map(text -> TRUE.contains(text.toUpperCase(Locale.ROOT))).orElse(false);
  }

  /** Returns the settings in words, without the token. */
  @Override
  public String toString() {
    return "HubSettings[endpoint="
        + endpoint
        + ", cache="
        + cache
        + ", token="
        + (token.isPresent() ? "set" : "none")
        + ", access="
        + access
        + "]";
  }
}
