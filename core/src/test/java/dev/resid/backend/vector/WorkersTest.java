package dev.resid.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WorkersTest {
  @Test
  void everyTaskRunsOnce() {
    for (int threads : new int[] {1, 2, 5}) {
      try (Workers workers = new Workers(threads)) {
        for (int count : new int[] {0, 1, 2, 7, 1000}) {
          AtomicIntegerArray runs = new AtomicIntegerArray(count);
          workers.run(count, (i, scratch) -> runs.incrementAndGet(i));
          for (int i = 0; i < count; i++) {
            assertEquals(1, runs.get(i), "task " + i + " of " + count + ", threads " + threads);
          }
        }
      }
    }
  }

  @Test
  void whatATaskThrowsReachesTheCaller() {
    try (Workers workers = new Workers(3)) {
      IllegalArgumentException thrown =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  workers.run(
                      100,
                      (i, scratch) -> {
                        if (i == 57) {
                          throw new IllegalArgumentException("task 57");
                        }
                      }));
      assertEquals("task 57", thrown.getMessage());
      AtomicInteger later = new AtomicInteger();
      workers.run(10, (i, scratch) -> later.incrementAndGet());
      assertEquals(10, later.get());
    }
  }

  @Test
  void severalThreadsCanCallAtOnce() throws Exception {
    try (Workers workers = new Workers(3);
        ExecutorService callers = Executors.newFixedThreadPool(4)) {
      List<Future<Integer>> sums = new ArrayList<>();
      for (int caller = 0; caller < 4; caller++) {
        sums.add(
            callers.submit(
                () -> {
                  AtomicInteger sum = new AtomicInteger();
                  for (int repeat = 0; repeat < 500; repeat++) {
                    workers.run(20, (i, scratch) -> sum.addAndGet(i));
                  }
                  return sum.get();
                }));
      }
      for (Future<Integer> sum : sums) {
        assertEquals(500 * 190, sum.get());
      }
    }
  }

  @Test
  void closedWorkersSayThatTheyAreClosed() {
    Workers workers = new Workers(2);
    workers.close();
    IllegalStateException thrown =
        assertThrows(IllegalStateException.class, () -> workers.run(3, (i, scratch) -> {}));
    assertTrue(thrown.getMessage().contains("closed"), thrown.getMessage());
  }

  @Test
  void closingEndsTheThreads() throws InterruptedException {
    Workers workers = new Workers(3);
    workers.run(10, (i, scratch) -> {});
    workers.close();
    for (Thread thread : workers.threads()) {
      thread.join(10_000);
      assertTrue(!thread.isAlive(), thread + " still runs");
    }
  }
}
