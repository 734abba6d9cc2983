package dev.resid.experiments.sweep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class WorkersTest {
  @Test
  void everyPieceIsDoneOnce() {
    for (int threads = 1; threads <= 3; threads++) {
      AtomicIntegerArray done = new AtomicIntegerArray(1000);
      try (Workers workers = new Workers(threads)) {
        workers.forEach(1000, done::incrementAndGet);
      }
      for (int i = 0; i < 1000; i++) {
        assertEquals(1, done.get(i));
      }
    }
  }

  @Test
  void whatAPieceThrowsReachesTheCallerAndStopsTheRest() {
    AtomicInteger begun = new AtomicInteger();
    try (Workers workers = new Workers(2)) {
      IllegalStateException thrown =
          assertThrows(
              IllegalStateException.class,
              () ->
                  workers.forEach(
                      1_000_000,
                      i -> {
                        begun.incrementAndGet();
                        throw new IllegalStateException("piece " + i);
                      }));
      assertTrue(thrown.getMessage().startsWith("piece "), thrown.getMessage());
      assertTrue(begun.get() <= 2, "begun " + begun);
    }
  }
}
