package dev.resid.benchmarks.work;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** The options of JVMs that are measured, those of {@code ./resid} among them; and a new one. */
public final class Jvm {
  /** Makes the Vector API available. */
  public static final String VECTOR_API = "--add-modules=jdk.incubator.vector";

  /** The collector. */
  public static final String GC = "-XX:+UseParallelGC";

  /** The size of the young generation. */
  public static final String HEAP = "-Xmn256m";

  /** The size of the young generation in commands that load a model and use it once. */
  public static final String HEAP_TO_LOAD = "-Xmn32m";

  /**
   * The size of the young generation where results of hundreds of megabytes are made again and
   * again: one that holds a few of them, so that they come to lie in memory that was touched
   * before. Fresh memory costs a virtual machine up to 12 µs a page, a second for the logits of 16
   * rows of 128 tokens.
   */
  public static final String HEAP_FOR_RESULTS = "-Xmn2g";

  /**
   * Has the young generation touched before a program begins: with results of tens of megabytes a
   * benchmark would end before it has been through all of it, and measure fresh memory, where a
   * program that runs for a while does not meet it any more.
   */
  public static final String TOUCHED = "-XX:+AlwaysPreTouch";

  private static final Path STATUS = Path.of("/proc/self/status");

  private Jvm() {}

  /**
   * Returns a program to start in a new JVM with this one's class path.
   *
   * @param options more options for it
   * @param main its class
   * @param arguments of the program
   */
  public static ProcessBuilder process(
      List<String> options, Class<?> main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(VECTOR_API);
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add(GC);
    command.add(HEAP);
    command.addAll(options);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    return new ProcessBuilder(command);
  }

  /**
   * Runs a program in a new JVM with this one's class path and returns what it prints.
   *
   * @param options more options for it
   * @param main its class
   * @param arguments of the program
   * @throws IllegalStateException if it fails; the message has what it printed
   */
  public static List<String> run(List<String> options, Class<?> main, List<String> arguments) {
    List<String> lines = new ArrayList<>();
    try {
      Process process = process(options, main, arguments).redirectErrorStream(true).start();
      try (BufferedReader reader =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        reader.lines().forEach(lines::add);
      }
      int code = process.waitFor();
      if (code != 0) {
        throw new IllegalStateException(
            main.getSimpleName() + " ended with exit code " + code + ": " + lines);
      }
      return lines;
    } catch (IOException e) {
      throw new IllegalStateException("cannot start a JVM: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a JVM was running", e);
    }
  }

  /**
   * Returns the largest amount of memory this process has had so far, mapped files that it has read
   * included, in bytes; empty where the system does not say.
   */
  static OptionalLong peakBytes() {
    try {
      return Files.readAllLines(STATUS).stream()
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
          .findFirst();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
