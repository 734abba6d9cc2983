package dev.resid.experiments.sweep;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * A fixed number of threads for independent pieces of work on the host. Each piece must write only
 * what belongs to it, so that nothing depends on the number of threads.
 */
public final class Workers implements AutoCloseable {
  private final int threads;
  private final ExecutorService executor;

  /**
   * Starts the threads.
   *
   * @param threads how many, at least 1; with 1 the caller does all the work itself
   */
  public Workers(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads is " + threads + ", must be at least 1");
    }
    this.threads = threads;
    this.executor =
        threads == 1
            ? null
            : Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("resid-experiment-", 0).factory());
  }

  /** Returns the number of threads. */
  public int threads() {
    return threads;
  }

  /**
   * Calls the work with 0 to n−1, each once, and returns when all are done.
   *
   * @param n how many pieces
   * @param work called from several threads at once
   * @throws RuntimeException what a piece threw; pieces not yet begun are then left out
   */
  public void forEach(int n, IntConsumer work) {
    if (executor == null || n < 2) {
      for (int i = 0; i < n; i++) {
        work.accept(i);
      }
      return;
    }
    AtomicInteger next = new AtomicInteger();
    Runnable loop =
        () -> {
          try {
            for (int i = next.getAndIncrement(); i < n; i = next.getAndIncrement()) {
              work.accept(i);
            }
          } catch (RuntimeException | Error e) {
            next.set(n);
            throw e;
          }
        };
    List<Future<?>> running = new ArrayList<>();
    for (int t = 0; t < Math.min(threads, n); t++) {
      running.add(executor.submit(loop));
    }
    Throwable problem = null;
    for (Future<?> future : running) {
      try {
        future.get();
      } catch (ExecutionException e) {
        problem = problem == null ? e.getCause() : problem;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        next.set(n);
        throw new IllegalStateException("interrupted while waiting for the workers", e);
      }
    }
    switch (problem) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(problem);
    }
  }

  /** Ends the threads. */
  @Override
  public void close() {
    if (executor != null) {
      executor.shutdown();
    }
  }
}
