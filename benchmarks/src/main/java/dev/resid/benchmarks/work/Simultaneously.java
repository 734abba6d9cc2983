package dev.resid.benchmarks.work;

import java.util.concurrent.CountDownLatch;
import java.util.function.IntConsumer;

/** Runs something on several threads that begin at the same moment. */
final class Simultaneously {
  private Simultaneously() {}

  /**
   * Returns the seconds that each thread took.
   *
   * @param threads how many
   * @param work given the thread's number
   */
  static double[] seconds(int threads, IntConsumer work) {
    double[] each = new double[threads];
    RuntimeException[] failed = new RuntimeException[threads];
    CountDownLatch start = new CountDownLatch(threads);
    Thread[] workers = new Thread[threads];
    for (int i = 0; i < threads; i++) {
      int index = i;
      workers[i] =
          new Thread(
              () -> {
                start.countDown();
                try {
                  start.await();
                  long before = System.nanoTime();
                  work.accept(index);
                  each[index] = (System.nanoTime() - before) / 1e9;
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                } catch (RuntimeException e) {
                  failed[index] = e;
                }
              });
      workers[i].start();
    }
    for (int i = 0; i < threads; i++) {
      try {
        workers[i].join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while measuring the machine", e);
      }
      if (failed[i] != null) {
        throw failed[i];
      }
    }
    return each;
  }
}
