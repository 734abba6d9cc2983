package dev.resid.testing;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A hub on this machine, with a store for large files on another port. Does what it is told, wrong
 * things too, and writes down every request.
 */
public final class FakeHub implements AutoCloseable {
  /** The commit that all files are of. */
  public static final String COMMIT = "607a30d783dfa663caf39e06633721c8d4cfcd7e";

  /** How the next requests for one file go wrong, before they go well. */
  @FunctionalInterface
  public interface Fault {
    /** Answers the request, or returns false to let the server do it. */
    boolean answer(HttpExchange exchange, byte[] content) throws IOException;
  }

  /**
   * One request that came.
   *
   * @param server {@code hub} or {@code store}
   * @param method HEAD or GET
   * @param path what was asked for
   * @param range the bytes that were asked for, or null
   * @param authorization the token that was shown, or null
   */
  public record Request(
      String server, String method, String path, String range, String authorization) {}

  private record Entry(byte[] content, String etag, boolean large, long statedBytes) {}

  private final HttpServer hub;
  private final HttpServer store;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, Entry> files = new ConcurrentHashMap<>();
  private final Map<String, Queue<Fault>> faults = new ConcurrentHashMap<>();
  private final List<Request> requests = Collections.synchronizedList(new ArrayList<>());
  private volatile boolean sendsParts = true;

  /** Starts both servers on free ports of this machine. */
  public FakeHub() throws IOException {
    hub = start(this::answerHub);
    store = start(this::answerStore);
  }

  private HttpServer start(com.sun.net.httpserver.HttpHandler handler) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            handler.handle(exchange);
          }
        });
    server.setExecutor(threads);
    server.start();
    return server;
  }

  /** Returns what HF_ENDPOINT must be. */
  public URI endpoint() {
    return URI.create("http://localhost:" + hub.getAddress().getPort());
  }

  /** Publishes a small file, which the hub itself sends; named by git's hash. */
  public void putSmall(String repository, String file, byte[] content) {
    byte[] header = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
    byte[] all = Arrays.copyOf(header, header.length + content.length);
    System.arraycopy(content, 0, all, header.length, content.length);
    put(repository, file, new Entry(content, hash("SHA-1", all), false, content.length));
  }

  /** Publishes a large file, which the hub sends people to the store for; named by SHA-256. */
  public void putLarge(String repository, String file, byte[] content) {
    put(repository, file, new Entry(content, hash("SHA-256", content), true, content.length));
  }

  /** Publishes a large file and lies about its hash or length. */
  public void putLie(String repository, String file, byte[] content, String etag, long bytes) {
    put(repository, file, new Entry(content, etag, true, bytes));
  }

  private void put(String repository, String file, Entry entry) {
    files.put(repository + "/" + file, entry);
  }

  /** Makes the next requests of a method for a file go wrong, each in its turn. */
  public void failNext(String method, String file, Fault... ways) {
    faults
        .computeIfAbsent(method + " " + file, key -> new ConcurrentLinkedQueue<>())
        .addAll(List.of(ways));
  }

  /** From now on the whole file is sent when a part is asked for. */
  public void sendNoParts() {
    sendsParts = false;
  }

  /** Returns what was asked so far. */
  public List<Request> requests() {
    return List.copyOf(requests);
  }

  /** Forgets what was asked. */
  public void forgetRequests() {
    requests.clear();
  }

  /** Returns the fault that is an HTTP status with headers, given as name, value, name, value. */
  public static Fault status(int status, String... headers) {
    return (exchange, content) -> {
      for (int i = 0; i < headers.length; i += 2) {
        exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
      }
      exchange.sendResponseHeaders(status, -1);
      return true;
    };
  }

  /** Returns the fault that is a connection cut after so many bytes of what was asked for. */
  public static Fault cutAfter(int bytes) {
    return (exchange, content) -> {
      int from = from(exchange);
      if (from > 0) {
        exchange
            .getResponseHeaders()
            .set(
                "Content-Range",
                "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
      }
      exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from);
      OutputStream out = exchange.getResponseBody();
      out.write(content, from, bytes);
      out.flush();
      return true; // closing the exchange now breaks the connection
    };
  }

  private static int from(HttpExchange exchange) {
    String range = exchange.getRequestHeaders().getFirst("Range");
    return range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=([0-9]+)-", "$1"));
  }

  private void answerHub(HttpExchange exchange) throws IOException {
    note("hub", exchange);
    String path = exchange.getRequestURI().getPath();
    int resolve = path.indexOf("/resolve/");
    String repository = resolve < 0 ? "" : path.substring(1, resolve);
    String rest = resolve < 0 ? "" : path.substring(resolve + "/resolve/".length());
    String file = rest.substring(rest.indexOf('/') + 1);
    Entry entry = files.get(repository + "/" + file);
    if (fails(exchange, file, entry)) {
      return;
    }
    Headers headers = exchange.getResponseHeaders();
    if (entry == null) {
      boolean known = files.keySet().stream().anyMatch(key -> key.startsWith(repository + "/"));
      headers.set("X-Error-Code", known ? "EntryNotFound" : "RepoNotFound");
      if (known) {
        headers.set("X-Repo-Commit", COMMIT);
      }
      exchange.sendResponseHeaders(404, -1);
      return;
    }
    headers.set("X-Repo-Commit", COMMIT);
    if (entry.large()) {
      headers.set("X-Linked-Etag", "\"" + entry.etag() + "\"");
      headers.set("X-Linked-Size", String.valueOf(entry.statedBytes()));
      headers.set(
          "Location",
          "http://localhost:"
              + store.getAddress().getPort()
              + "/"
              + repository
              + "/"
              + file
              + "?signature=a%2Fb");
      exchange.sendResponseHeaders(302, -1);
      return;
    }
    headers.set("ETag", "W/\"" + entry.etag() + "\"");
    send(exchange, entry);
  }

  private void answerStore(HttpExchange exchange) throws IOException {
    note("store", exchange);
    String path = exchange.getRequestURI().getPath().substring(1);
    Entry entry = files.get(path);
    if (!fails(exchange, path.substring(path.lastIndexOf('/') + 1), entry)) {
      send(exchange, entry);
    }
  }

  private void send(HttpExchange exchange, Entry entry) throws IOException {
    byte[] content = entry.content();
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", String.valueOf(content.length));
      exchange.sendResponseHeaders(200, -1);
      return;
    }
    int from = sendsParts ? from(exchange) : 0;
    if (from > 0) {
      exchange
          .getResponseHeaders()
          .set(
              "Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
    }
    int length = content.length - from;
    exchange.sendResponseHeaders(from > 0 ? 206 : 200, length == 0 ? -1 : length);
    exchange.getResponseBody().write(content, from, length);
  }

  private boolean fails(HttpExchange exchange, String file, Entry entry) throws IOException {
    Queue<Fault> queue =
        faults.getOrDefault(exchange.getRequestMethod() + " " + file, new ArrayDeque<>());
    boolean atStore = exchange.getLocalAddress().getPort() == store.getAddress().getPort();
    if (entry != null && entry.large() && !atStore && exchange.getRequestMethod().equals("GET")) {
      return false; // its faults are the store's
    }
    Fault fault = queue.poll();
    return fault != null && fault.answer(exchange, entry == null ? new byte[0] : entry.content());
  }

  private void note(String server, HttpExchange exchange) {
    Headers headers = exchange.getRequestHeaders();
    requests.add(
        new Request(
            server,
            exchange.getRequestMethod(),
            exchange.getRequestURI().getRawPath(),
            headers.getFirst("Range"),
            headers.getFirst("Authorization")));
  }

  private static String hash(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Returns how many requests came, by server, method and file name. */
  public Map<String, Integer> counts() {
    Map<String, Integer> counts = new HashMap<>();
    for (Request request : requests()) {
      String file = request.path().substring(request.path().lastIndexOf('/') + 1);
      counts.merge(request.server() + " " + request.method() + " " + file, 1, Integer::sum);
    }
    return counts;
  }

  @Override
  public void close() {
    hub.stop(0);
    store.stop(0);
    threads.close();
  }
}
