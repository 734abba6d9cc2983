package dev.resid.spark;

import dev.resid.experiments.cli.StudyCommandLine;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.study.RowRunner;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Stream;
import org.apache.spark.SparkFiles;

/**
 * The runs that this process computes blocks for. A task of Spark is a few bytes that arrive in a
 * process and find there what earlier tasks left; so this table is static, the only one in Resid.
 * What it leads to belongs to one run each and is not reached by anything but that run's tasks.
 */
final class BlockServers {
  private static final ConcurrentMap<String, BlockQueue> QUEUES = new ConcurrentHashMap<>();

  private BlockServers() {}

  /** Lets the tasks of this process use a queue that the process serves by itself. */
  static void offer(String run, BlockQueue queue) {
    QUEUES.put(run, queue);
  }

  /** Forgets a run. */
  static void forget(String run) {
    QUEUES.remove(run);
  }

  /**
   * Returns a block of a run; the first time, and after a failure, loads what that takes.
   *
   * @param order of the run
   * @param block its number
   * @throws BlockFailedException if it cannot be computed here
   */
  static ComputedBlock compute(SharedOrder order, int block) {
    return QUEUES
        .compute(
            order.run(), (run, queue) -> queue == null || queue.hasEnded() ? start(order) : queue)
        .compute(block);
  }

  private static BlockQueue start(SharedOrder order) {
    BlockQueue queue = new BlockQueue();
    Thread.ofPlatform().daemon().name("resid-blocks").start(() -> serve(order, queue));
    return queue;
  }

  /** Runs the command line of the study, which ends up in {@link Serving}. */
  private static void serve(SharedOrder order, BlockQueue queue) {
    String reason = "stopped";
    try {
      Path folder = folder(order);
      Thread remove = new Thread(() -> remove(folder), "resid-remove");
      Runtime.getRuntime().addShutdownHook(remove);
      StringWriter problem = new StringWriter();
      StudyCommandLine.execute(
          "resid-spark",
          new PrintWriter(PrintWriter.nullWriter()),
          new PrintWriter(problem),
          new Serving(order, queue),
          StudyCommandLine.in(order.line(), folder, order.threads()).toArray(String[]::new));
      reason = problem.toString().strip().replaceFirst("^resid: ", "");
      remove(folder);
      Runtime.getRuntime().removeShutdownHook(remove);
    } catch (IOException | RuntimeException e) {
      reason = e.toString();
    } finally {
      queue.end("on " + host() + ": " + reason);
    }
  }

  /** Returns a folder with the files that the blocks need in common. */
  private static Path folder(SharedOrder order) throws IOException {
    Path folder =
        Files.createTempDirectory(
            Path.of(SparkFiles.getRootDirectory()).toAbsolutePath(), "resid-");
    for (String name : order.common()) {
      Path to = RunFolder.work(folder, name);
      Files.createDirectories(to.getParent());
      Files.copy(Path.of(SparkFiles.get(name)), to);
    }
    return folder;
  }

  private static void remove(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException | UncheckedIOException e) {
      // Spark removes the folder it lies in.
    }
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "an executor";
    }
  }

  /** Computes blocks where {@code resid} would run the study. */
  private record Serving(SharedOrder order, BlockQueue queue) implements RowRunner {
    @Override
    public <T> Optional<T> run(RowStudy<T> rows, Path folder, Progress progress, Workers workers)
        throws IOException {
      rows.serve(folder, order.order(), queue::serve, progress);
      return Optional.empty();
    }
  }
}
