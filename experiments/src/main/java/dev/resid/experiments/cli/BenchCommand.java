package dev.resid.experiments.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code resid bench}: the table of speeds, from the module of benchmarks, which it starts. */
@Command(
    name = "bench",
    description = {
      "Measure how fast Resid is on this machine, as parts of what the machine can do.",
      "Runs every workload of the table in docs/performance.md with generated weights, checks its"
          + " result against the reference, and prints medians of alternating repetitions with the"
          + " machine's own limits of the same moment. Takes up to fifteen minutes. Where the Maven"
          + " profile \"peers\" was built, other engines take turns with Resid."
    },
    footer = {
      "",
      "Names for --only: product few-rows forward sweep last-position decode sae training load"
          + " memory, and",
      "scaling, which is not part of the whole table.",
      "",
      "Examples:",
      "  resid bench --only product",
      "  resid bench --out bench-results",
      "  resid bench --guard"
    })
final class BenchCommand implements Callable<Integer> {
  private static final String MAIN = "dev.resid.benchmarks.table.BenchTable";
  private static final String BUILD = "mvn -q -DskipTests -pl benchmarks -am package";

  @Option(
      names = "--only",
      paramLabel = "NAME",
      split = ",",
      description = "Measure only these parts of the table, separated by commas.")
  private List<String> only = List.of();

  @Option(
      names = "--quick",
      description = "Three repetitions instead of seven: less certain, half the time.")
  private boolean quick;

  @Option(
      names = "--guard",
      description =
          "Measure the matrix products alone, and end with exit code 1 if one is below the part of"
              + " the peak that it had before.")
  private boolean guard;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of every engine; all processors if left out.")
  private Integer threads;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Also write bench.csv, bench.json and machine.txt into this folder.")
  private Path out;

  /** Called by picocli. */
  BenchCommand() {}

  @Override
  public Integer call() throws IOException {
    List<String> arguments = arguments();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-modules=jdk.incubator.vector");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-XX:MaxRAMPercentage=40");
    command.add("-cp");
    command.add(classPath());
    command.add(MAIN);
    command.addAll(arguments);
    Process process = new ProcessBuilder(command).inheritIO().start();
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while measuring", e);
    } finally {
      process.destroy();
    }
  }

  /** Returns what the program in the other module is given. */
  List<String> arguments() {
    if (threads != null && threads < 1) {
      throw new IllegalArgumentException("--threads is " + threads + ", must be at least 1.");
    }
    List<String> arguments = new ArrayList<>();
    if (!only.isEmpty()) {
      arguments.add("only=" + String.join(",", only));
    }
    if (quick) {
      arguments.add("repetitions=3");
    }
    if (guard) {
      arguments.add("guard=yes");
    }
    if (threads != null) {
      arguments.add("threads=" + threads);
    }
    if (out != null) {
      arguments.add("out=" + out);
    }
    return arguments;
  }

  private static String classPath() throws IOException {
    if (BenchCommand.class.getResource("/" + MAIN.replace('.', '/') + ".class") != null) {
      return System.getProperty("java.class.path");
    }
    String root = System.getProperty("resid.root");
    if (root == null) {
      throw new IllegalStateException(
          "the benchmarks are not part of this program; in a source tree of Resid, ./resid bench"
              + " finds them after '"
              + BUILD
              + "'.");
    }
    return classPath(Path.of(root));
  }

  /**
   * Returns the class path of the benchmarks that were built in a source tree, with other engines
   * if they were built too.
   *
   * @param root of the source tree
   * @throws IllegalStateException if they are not built, or are older than a source
   * @throws IOException if the tree cannot be read
   */
  static String classPath(Path root) throws IOException {
    Path jar = root.resolve("benchmarks/target/benchmarks.jar");
    if (!Files.exists(jar)) {
      throw new IllegalStateException(
          "the benchmarks are not built: run '" + BUILD + "' in " + root + ".");
    }
    Optional<Path> newer = newerSource(root, jar);
    if (newer.isPresent()) {
      throw new IllegalStateException(
          "the benchmarks are older than "
              + root.relativize(newer.get())
              + ": run '"
              + BUILD
              + "' in "
              + root
              + ".");
    }
    StringBuilder path = new StringBuilder(jar.toString());
    Path peers = root.resolve("peers/target/lib");
    if (Files.isDirectory(peers)) {
      path.append(File.pathSeparator).append(peers).append(File.separator).append('*');
    }
    return path.toString();
  }

  private static Optional<Path> newerSource(Path root, Path jar) throws IOException {
    var built = Files.getLastModifiedTime(jar);
    for (String module : List.of("core", "sae", "experiments", "benchmarks")) {
      Path sources = root.resolve(module).resolve("src/main");
      if (!Files.isDirectory(sources)) {
        continue;
      }
      try (Stream<Path> files = Files.walk(sources)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          if (Files.getLastModifiedTime(file).compareTo(built) > 0) {
            return Optional.of(file);
          }
        }
      }
    }
    return Optional.empty();
  }
}
