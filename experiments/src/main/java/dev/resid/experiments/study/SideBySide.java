package dev.resid.experiments.study;

import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.study.RowStudy.Order;
import dev.resid.experiments.sweep.BlockService.Finished;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Shares the blocks of a run out to the same study on several backends of this process, such as one
 * for each GPU. Each takes the next block when it has finished one. Numbers of a block do not
 * depend on who computes it or when, so the results are those of one backend.
 */
public final class SideBySide implements RowStudy.Others {
  private final List<RowStudy<?>> others;

  /**
   * Prepares a run.
   *
   * @param others the same study on each backend but the one of the run itself
   */
  public SideBySide(List<? extends RowStudy<?>> others) {
    this.others = List.copyOf(others);
  }

  /**
   * Computes what is missing of a whole run in the folder and writes the results.
   *
   * @param <T> what is known of a complete run
   * @param rows the same study on each backend, that of the run itself first
   * @param folder where; created if it is missing
   * @param progress told about every step
   * @param workers threads for what backends do not do
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read, written or computed
   */
  public static <T> T run(List<RowStudy<T>> rows, Path folder, Progress progress, Workers workers)
      throws IOException {
    RowStudy<T> first = rows.getFirst();
    return rows.size() == 1
        ? first.run(folder, progress, workers)
        : first.run(folder, new SideBySide(rows.subList(1, rows.size())), progress, workers);
  }

  @Override
  public void compute(Order order, int[] blocks, BlockWork here, Finished finished)
      throws IOException {
    Queue queue = new Queue(blocks, finished);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < others.size(); i++) {
      RowStudy<?> other = others.get(i);
      threads.add(
          Thread.ofPlatform()
              .daemon()
              .name("resid-blocks-" + (i + 1))
              .start(() -> queue.attempt(() -> serve(other, order, queue))));
    }
    queue.attempt(() -> queue.serve(order.sweep(), here));
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        queue.stop();
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while other backends compute blocks", e);
      }
    }
    queue.throwProblem();
  }

  @Override
  public List<String> devices() {
    return others.stream().flatMap(other -> other.devices().stream()).toList();
  }

  /** Computes blocks on another backend, with files of its own of what blocks need in common. */
  private static void serve(RowStudy<?> other, Order order, Queue queue) throws IOException {
    Path folder = Files.createTempDirectory("resid-blocks-");
    try {
      for (Path file : order.common()) {
        Path to = RunFolder.work(folder, file.getFileName().toString());
        Files.createDirectories(to.getParent());
        Files.copy(file, to);
      }
      other.serve(folder, order, queue::serve, Progress.none());
    } finally {
      remove(folder);
    }
  }

  private static void remove(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException | UncheckedIOException e) {
      System.getLogger(SideBySide.class.getName())
          .log(System.Logger.Level.DEBUG, "left behind: " + folder, e);
    }
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  /** The blocks that nobody has taken, and the first thing that went wrong. */
  private static final class Queue {
    private final int[] blocks;
    private final Finished finished;
    private final AtomicInteger next = new AtomicInteger();
    private Throwable problem;

    Queue(int[] blocks, Finished finished) {
      this.blocks = blocks;
      this.finished = finished;
    }

    void serve(SweepPlan sweep, BlockWork work) throws IOException {
      for (int i = next.getAndIncrement(); i < blocks.length; i = next.getAndIncrement()) {
        long started = System.nanoTime();
        double[][] values = work.compute(sweep.block(blocks[i]), units -> {});
        finished.take(blocks[i], values, System.nanoTime() - started);
      }
    }

    /** Does a step; if it fails, no more blocks are given out. */
    void attempt(Step step) {
      try {
        step.run();
      } catch (IOException | RuntimeException | Error e) {
        synchronized (this) {
          problem = problem == null ? e : problem;
        }
        stop();
      }
    }

    /** Gives no more blocks out; those begun are finished and written down. */
    void stop() {
      next.set(blocks.length);
    }

    synchronized void throwProblem() throws IOException {
      switch (problem) {
        case null -> {}
        case IOException e -> throw e;
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        default -> throw new IllegalStateException(problem);
      }
    }
  }
}
