package dev.resid.hub;

import dev.resid.hub.Retries.ForNowException;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/*
 * Asks the server. HEAD tells the commit, the hash and the length of a file without following the
 * way to the store that holds large files; GET follows it. Redirects are followed by hand, because
 * the token belongs to the server of HF_ENDPOINT alone: once a redirect has left it, the token is
 * not sent any more, not even if a later redirect leads back.
 *
 * java.net.HttpURLConnection and not java.net.http: it is in java.base, starts no threads, and has a
 * time-out for a body that stops coming.
 */

/** Speaks HTTP to the hub. Keeps nothing between calls. */
final class HubClient {
  private static final int MAX_REDIRECTS = 10;
  private static final int RANGE_REFUSED = 416;

  private final HubSettings settings;
  private final Retries retries;

  /**
   * What a server says about a file.
   *
   * @param commit state of the repository that the file belongs to
   * @param etag name of its content: SHA-256, git's hash, or anything that changes with it
   * @param bytes length, if the server says it
   */
  record Remote(String commit, String etag, OptionalLong bytes) {}

  /**
   * The answer to a request for content; the caller closes it.
   *
   * @param from offset of its first byte in the file
   * @param bytes length of the whole file, if the server says it
   * @param connection where it comes from
   */
  record Body(long from, OptionalLong bytes, HttpURLConnection connection)
      implements AutoCloseable {
    InputStream stream() throws IOException {
      return connection.getInputStream();
    }

    @Override
    public void close() {
      connection.disconnect();
    }
  }

  /** There is no such file in a commit that exists. */
  static final class AbsentException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String commit;

    AbsentException(String message, String commit) {
      super(message);
      this.commit = commit;
    }

    Optional<String> commit() {
      return Optional.ofNullable(commit).filter(HubName::isCommit);
    }
  }

  HubClient(HubSettings settings, Retries retries) {
    this.settings = settings;
    this.retries = retries;
  }

  /**
   * Returns what the server says about a file.
   *
   * @throws AbsentException if the commit has no such file
   * @throws HubException if the server says neither commit nor hash, or refuses
   */
  Remote head(HubName name, String file) throws IOException {
    return retries.call(() -> headOnce(name, file));
  }

  private Remote headOnce(HubName name, String file) throws IOException {
    URI at = address(name, file);
    String commit = null;
    String etag = null;
    long bytes = -1;
    for (int hops = 0; hops <= MAX_REDIRECTS; hops++) {
      HttpURLConnection answer = send("HEAD", at, true, Map.of());
      int status = status(answer, at);
      boolean redirect = isRedirect(status);
      if (!redirect && status != HttpURLConnection.HTTP_OK) {
        throw Refusals.of(status, answer, settings, name, file);
      }
      commit = commit == null ? answer.getHeaderField("X-Repo-Commit") : commit;
      String linked = answer.getHeaderField("X-Linked-Etag");
      etag = linked != null ? linked : redirect ? etag : firstOf(etag, answer, "ETag");
      String linkedSize = answer.getHeaderField("X-Linked-Size");
      bytes = linkedSize != null ? number(linkedSize) : redirect ? bytes : length(answer, bytes);
      URI next = redirect ? target(answer, at) : at;
      if (!redirect || !isEndpoint(next)) {
        // The store is not asked: it knows the content, not the commit.
        etag = etag == null ? answer.getHeaderField("ETag") : etag;
        return remote(name, file, commit, etag, bytes);
      }
      at = next;
    }
    throw new HubException(name + ": " + file + " is redirected without end by " + at.getHost());
  }

  private static Remote remote(HubName name, String file, String commit, String etag, long bytes)
      throws HubException {
    if (commit == null || !HubName.isCommit(commit) || etag == null) {
      throw new HubException(
          name
              + ": the answer for "
              + file
              + " states no commit or no ETag; is HF_ENDPOINT the address of a hub?");
    }
    String plain = etag.strip().replaceFirst("^W/", "").replaceAll("^\"|\"$", "");
    return new Remote(
        commit,
        RepositoryFolder.requireEtag(plain),
        bytes < 0 ? OptionalLong.empty() : OptionalLong.of(bytes));
  }

  /**
   * Opens the content of a file from an offset, or from its beginning where the server does not
   * send parts.
   *
   * @throws ForNowException if it may work later
   * @throws HubException if the server refuses
   */
  Body get(HubName name, String file, long from) throws IOException {
    URI at = address(name, file);
    boolean withToken = true;
    for (int hops = 0; hops <= MAX_REDIRECTS; hops++) {
      withToken &= isEndpoint(at);
      Map<String, String> range = from == 0 ? Map.of() : Map.of("Range", "bytes=" + from + "-");
      HttpURLConnection answer = send("GET", at, withToken, range);
      boolean handedOver = false;
      try {
        int status = status(answer, at);
        if (status == HttpURLConnection.HTTP_OK) {
          handedOver = true;
          return new Body(0, length(answer), answer);
        }
        if (status == HttpURLConnection.HTTP_PARTIAL) {
          handedOver = true;
          return part(answer, from, name, file);
        }
        if (status == RANGE_REFUSED && from > 0) {
          return get(name, file, 0);
        }
        if (!isRedirect(status)) {
          throw Refusals.of(status, answer, settings, name, file);
        }
        at = target(answer, at);
      } finally {
        if (!handedOver) {
          answer.disconnect();
        }
      }
    }
    throw new HubException(name + ": " + file + " is redirected without end by " + at.getHost());
  }

  private static Body part(HttpURLConnection answer, long from, HubName name, String file)
      throws HubException {
    String range = String.valueOf(answer.getHeaderField("Content-Range"));
    if (!range.matches("bytes " + from + "-[0-9]{1,18}/([0-9]{1,18}|\\*)")) {
      answer.disconnect();
      throw new HubException(
          name
              + ": for "
              + file
              + " from byte "
              + from
              + " the server sends \""
              + range
              + "\", which is another part; try again later");
    }
    String total = range.substring(range.indexOf('/') + 1);
    return new Body(
        from,
        total.equals("*") ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(total)),
        answer);
  }

  // ---- one request

  private HttpURLConnection send(
      String method, URI at, boolean withToken, Map<String, String> headers) throws IOException {
    HttpURLConnection connection = (HttpURLConnection) at.toURL().openConnection();
    connection.setInstanceFollowRedirects(false);
    connection.setUseCaches(false);
    connection.setConnectTimeout(Math.toIntExact(settings.timeout().toMillis()));
    connection.setReadTimeout(Math.toIntExact(settings.timeout().toMillis()));
    connection.setRequestMethod(method);
    connection.setRequestProperty("User-Agent", "resid");
    connection.setRequestProperty("Accept", "*/*");
    // A compressed answer would have another length, and no parts.
    connection.setRequestProperty("Accept-Encoding", "identity");
    headers.forEach(connection::setRequestProperty);
    if (withToken && settings.token().isPresent()) {
      connection.setRequestProperty("Authorization", "Bearer " + settings.token().get());
    }
    return connection;
  }

  private int status(HttpURLConnection connection, URI at) throws IOException {
    try {
      return connection.getResponseCode();
    } catch (UnknownHostException e) {
      throw new HubException(
          "no server called "
              + at.getHost()
              + " can be found; check the network, the proxy and HF_ENDPOINT",
          e);
    } catch (SocketTimeoutException e) {
      throw new ForNowException(
          at.getHost() + " did not answer for " + settings.timeout().toSeconds() + " s", e);
    } catch (IOException e) {
      throw new ForNowException("the connection to " + at.getHost() + " failed: " + reason(e), e);
    }
  }

  /** Returns what a connection broke by, for the end of a sentence. */
  static String reason(IOException e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  // ---- addresses

  private URI address(HubName name, String file) {
    return URI.create(
        settings.endpoint()
            + "/"
            + name.repository()
            + "/resolve/"
            + encoded(name.revision()).replace("/", "%2F")
            + "/"
            + encoded(file));
  }

  /** Returns a path with everything but letters, digits, slashes and -._~ as %XX. */
  private static String encoded(String path) {
    StringBuilder text = new StringBuilder();
    for (byte b : path.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      boolean plain =
          c >= 'a' && c <= 'z'
              || c >= 'A' && c <= 'Z'
              || c >= '0' && c <= '9'
              || "/-._~".indexOf(c) >= 0;
      text.append(plain ? String.valueOf(c) : String.format(Locale.ROOT, "%%%02X", (int) c));
    }
    return text.toString();
  }

  private URI target(HttpURLConnection answer, URI at) throws HubException {
    String location = answer.getHeaderField("Location");
    URI next;
    try {
      next = location == null ? null : at.resolve(new URI(location));
    } catch (URISyntaxException e) {
      next = null;
    }
    boolean secure = next != null && "https".equalsIgnoreCase(next.getScheme());
    boolean downgrade = "https".equalsIgnoreCase(at.getScheme()) && !secure;
    if (next == null
        || next.getHost() == null
        || downgrade
        || !secure && !"http".equalsIgnoreCase(next.getScheme())) {
      throw new HubException(
          at.getHost()
              + " redirects to "
              + (next == null
                  ? "an address that is none"
                  : next.getScheme() + "://" + next.getHost())
              + ", which is not followed"
              + (downgrade ? " because it is not encrypted" : ""));
    }
    return next;
  }

  private boolean isEndpoint(URI at) {
    URI endpoint = settings.endpoint();
    return endpoint.getScheme().equalsIgnoreCase(at.getScheme())
        && endpoint.getHost().equalsIgnoreCase(at.getHost())
        && port(endpoint) == port(at);
  }

  private static int port(URI at) {
    if (at.getPort() >= 0) {
      return at.getPort();
    }
    return at.getScheme().equalsIgnoreCase("https") ? 443 : 80;
  }

  // ---- headers

  private static boolean isRedirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }

  private static String firstOf(String known, HttpURLConnection answer, String header) {
    return known != null ? known : answer.getHeaderField(header);
  }

  private static OptionalLong length(HttpURLConnection answer) {
    long length = length(answer, -1);
    return length < 0 ? OptionalLong.empty() : OptionalLong.of(length);
  }

  private static long length(HttpURLConnection answer, long known) {
    String text = answer.getHeaderField("Content-Length");
    return known >= 0 || text == null ? known : number(text);
  }

  private static long number(String text) {
    return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : -1;
  }
}
