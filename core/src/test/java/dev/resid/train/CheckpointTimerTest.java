package dev.resid.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CheckpointTimerTest {
  private static final long SECOND = 1_000_000_000L;

  private long now;

  /** Steps take 10 seconds each. */
  private List<Long> saved(int every, int steps, long secondsPerCheckpoint) throws IOException {
    now = 0;
    CheckpointTimer timer = new CheckpointTimer(every, () -> now);
    List<Long> saved = new ArrayList<>();
    for (long step = 1; step <= steps; step++) {
      now += 10 * SECOND;
      long done = step;
      timer.saveIfDue(
          step,
          () -> {
            saved.add(done);
            now += secondsPerCheckpoint * SECOND;
          });
    }
    return saved;
  }

  @Test
  void theFirstHalfMinuteAndEveryOneAfterItAreKept() throws IOException {
    assertEquals(List.of(3L, 6L, 7L, 10L), saved(7, 12, 0));
  }

  @Test
  void stepsThatWereAskedForAreKeptWhateverTheTime() throws IOException {
    assertEquals(List.of(1L, 2L, 3L), saved(1, 3, 0));
  }

  /** After 4 seconds of writing come 80 of training. */
  @Test
  void writingTakesASmallPartOfTheTime() throws IOException {
    assertEquals(List.of(3L, 11L, 19L), saved(100, 20, 4));
  }
}
