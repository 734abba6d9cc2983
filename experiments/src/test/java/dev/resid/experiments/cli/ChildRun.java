package dev.resid.experiments.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A command line in a process of its own, which can be killed and limited. */
final class ChildRun {
  private final Process process;
  private final Path log;

  private ChildRun(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /**
   * Starts a command line.
   *
   * @param kibibytes no file that it writes may be longer; 0 for no limit
   * @param log where standard error goes
   * @param args the words of the command line
   */
  static ChildRun start(int kibibytes, Path log, String... args) throws IOException {
    return start(kibibytes, log, List.of(), args);
  }

  /**
   * Starts a command line in a JVM that is told more.
   *
   * @param kibibytes no file that it writes may be longer; 0 for no limit
   * @param log where standard error goes
   * @param options of the JVM
   * @param args the words of the command line
   */
  static ChildRun start(int kibibytes, Path log, List<String> options, String... args)
      throws IOException {
    List<String> command = new ArrayList<>();
    if (kibibytes > 0) {
      command.addAll(List.of("bash", "-c", "ulimit -f " + kibibytes + "; exec \"$0\" \"$@\""));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    // As the launcher starts it: looking for a GPU would be a warning with an empty line.
    command.addAll(
        List.of("--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(args));
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(log.toFile())
            .start();
    return new ChildRun(process, log);
  }

  /** Waits until a file is there or the process has ended. */
  void await(Path file) throws InterruptedException {
    while (process.isAlive() && !Files.exists(file)) {
      Thread.sleep(2);
    }
  }

  /** Returns whether it was still running after so long, and kills it then. */
  boolean killAfter(long millis) throws InterruptedException {
    boolean ended = process.waitFor(millis, java.util.concurrent.TimeUnit.MILLISECONDS);
    // SIGKILL: nothing in the process can answer it.
    process.destroyForcibly().waitFor();
    return !ended;
  }

  /** Waits for the end and returns what it did. */
  CliRun end() throws IOException, InterruptedException {
    int code = process.waitFor();
    StringBuilder err = new StringBuilder();
    for (String line : Files.readAllLines(log)) {
      if (!line.startsWith("WARNING:")) {
        err.append(line).append('\n');
      }
    }
    return new CliRun(code, "", err.toString());
  }
}
