package dev.resid.experiments.report;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A Chromium without a window and one tab in it, driven by the DevTools protocol over a pipe: no
 * port, no driver program, no library. The shell gives the browser its standard input and output as
 * descriptors 3 and 4, where {@code --remote-debugging-pipe} speaks JSON messages that end with a
 * zero byte.
 */
final class Chromium implements AutoCloseable {
  /**
   * Generous, since a machine may be busy with other things; nothing waits this long when green.
   */
  private static final long PATIENCE_SECONDS = 120;

  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome");

  private static final JsonMapper JSON = new JsonMapper();

  private final Process process;
  private final OutputStream toBrowser;
  private final BlockingQueue<JsonNode> messages = new LinkedBlockingQueue<>();
  private final List<String> complaints = new ArrayList<>();
  private final String session;
  private int lastId;
  private boolean loaded;

  private Chromium(Path program, Path profile) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("/bin/sh", "-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "sh"));
    command.add(program.toString());
    command.addAll(
        List.of(
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--remote-debugging-pipe",
            "--user-data-dir=" + profile,
            "about:blank"));
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    toBrowser = process.getOutputStream();
    Thread.ofVirtual().start(this::read);
    String target =
        call("Target.createTarget", Map.of("url", "about:blank"), "").get("targetId").asString();
    session =
        call("Target.attachToTarget", Map.of("targetId", target, "flatten", true), "")
            .get("sessionId")
            .asString();
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      call(domain + ".enable", Map.of());
    }
  }

  /**
   * Returns the browser: the environment variable {@code CHROME}, or one on the path; empty where
   * there is none or the pipe cannot be had.
   */
  static Optional<Path> find() {
    if (!Files.isExecutable(Path.of("/bin/sh"))) {
      return Optional.empty();
    }
    String named = System.getenv("CHROME");
    if (named != null && !named.isBlank()) {
      return Optional.of(Path.of(named));
    }
    String path = System.getenv().getOrDefault("PATH", "");
    return NAMES.stream()
        .flatMap(name -> Stream.of(path.split(":")).map(folder -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Returns a browser that has started.
   *
   * @param program what {@link #find} found
   * @param profile an empty folder for its files
   */
  static Chromium start(Path program, Path profile) throws IOException {
    return new Chromium(program, profile);
  }

  /** Makes the window as wide as a device, and prefer a colour scheme. */
  void device(int width, int height, String scheme) {
    call(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    call(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
  }

  /** Shows pages as they are printed. */
  void paper() {
    call("Emulation.setEmulatedMedia", Map.of("media", "print"));
  }

  /** Opens a file and waits until it is loaded; complaints about earlier pages are forgotten. */
  void open(Path page) {
    complaints.clear();
    loaded = false;
    call("Page.navigate", Map.of("url", page.toUri().toString()));
    while (!loaded) {
      event(next());
    }
  }

  /** Returns the value of an expression in the page, which may be a promise. */
  JsonNode evaluate(String expression) {
    JsonNode result =
        call(
            "Runtime.evaluate",
            Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
    if (result.has("exceptionDetails")) {
      throw new IllegalStateException(result.get("exceptionDetails").toString());
    }
    return result.get("result").path("value");
  }

  /** Moves the mouse. */
  void pointAt(double x, double y) {
    call("Input.dispatchMouseEvent", Map.of("type", "mouseMoved", "x", x, "y", y));
  }

  /** Presses and releases the left button of the mouse. */
  void click(double x, double y) {
    pointAt(x, y);
    for (String type : List.of("mousePressed", "mouseReleased")) {
      call(
          "Input.dispatchMouseEvent",
          Map.of("type", type, "x", x, "y", y, "button", "left", "clickCount", 1));
    }
  }

  /** Presses and releases a key, named as in {@code KeyboardEvent.key}. */
  void press(String key) {
    int code =
        switch (key) {
          case "Tab" -> 9;
          case "Enter" -> 13;
          case "Escape" -> 27;
          case " " -> 32;
          case "End" -> 35;
          case "Home" -> 36;
          case "ArrowLeft" -> 37;
          case "ArrowUp" -> 38;
          case "ArrowRight" -> 39;
          case "ArrowDown" -> 40;
          default -> throw new IllegalArgumentException("no code for the key " + key);
        };
    String text = key.equals("Enter") ? "\r" : key.equals(" ") ? " " : "";
    String name = key.equals(" ") ? "Space" : key;
    call(
        "Input.dispatchKeyEvent",
        Map.of(
            "type",
            text.isEmpty() ? "rawKeyDown" : "keyDown",
            "key",
            key,
            "code",
            name,
            "text",
            text,
            "windowsVirtualKeyCode",
            code));
    call(
        "Input.dispatchKeyEvent",
        Map.of("type", "keyUp", "key", key, "code", name, "windowsVirtualKeyCode", code));
  }

  /**
   * Returns what the page did that a page opened from disk should not: errors and warnings on the
   * console, exceptions, and requests for anything but itself.
   */
  List<String> complaints() {
    evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))");
    return List.copyOf(complaints);
  }

  private JsonNode call(String method, Map<String, ?> parameters) {
    return call(method, parameters, session);
  }

  private JsonNode call(String method, Map<String, ?> parameters, String inSession) {
    int id = ++lastId;
    Map<String, Object> message = new java.util.HashMap<>();
    message.put("id", id);
    message.put("method", method);
    message.put("params", parameters);
    if (!inSession.isEmpty()) {
      message.put("sessionId", inSession);
    }
    try {
      toBrowser.write(JSON.writeValueAsBytes(message));
      toBrowser.write(0);
      toBrowser.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("the browser has ended", e);
    }
    while (true) {
      JsonNode answer = next();
      if (answer.path("id").asInt(-1) != id) {
        event(answer);
      } else if (answer.has("error")) {
        throw new IllegalStateException(method + ": " + answer.get("error"));
      } else {
        return answer.get("result");
      }
    }
  }

  private JsonNode next() {
    try {
      JsonNode message = messages.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (message == null || message.isNull()) {
        throw new IllegalStateException(
            message == null ? "the browser says nothing" : "the browser has ended");
      }
      return message;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private void event(JsonNode message) {
    JsonNode parameters = message.path("params");
    switch (message.path("method").asString("")) {
      case "Page.loadEventFired" -> loaded = true;
      case "Runtime.exceptionThrown" ->
          complaints.add("exception: " + parameters.get("exceptionDetails"));
      case "Log.entryAdded" -> complaints.add("log: " + parameters.get("entry"));
      case "Runtime.consoleAPICalled" -> {
        String type = parameters.get("type").asString();
        if (type.equals("error") || type.equals("warning") || type.equals("assert")) {
          complaints.add("console: " + parameters.get("args"));
        }
      }
      case "Network.requestWillBeSent" -> {
        if (!parameters.path("type").asString("").equals("Document")) {
          complaints.add("request: " + parameters.get("request").get("url"));
        }
      }
      default -> {
        // of no interest here
      }
    }
  }

  private void read() {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = process.getInputStream()) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        int from = 0;
        for (int i = 0; i < n; i++) {
          if (buffer[i] == 0) {
            message.write(buffer, from, i - from);
            messages.add(JSON.readTree(message.toString(StandardCharsets.UTF_8)));
            message.reset();
            from = i + 1;
          }
        }
        message.write(buffer, from, n - from);
      }
    } catch (IOException e) {
      // The pipe is closed with the browser.
    }
    messages.add(JSON.nullNode());
  }

  @Override
  public void close() throws IOException {
    try {
      call("Browser.close", Map.of(), "");
    } catch (IllegalStateException | UncheckedIOException e) {
      process.destroy();
    }
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
