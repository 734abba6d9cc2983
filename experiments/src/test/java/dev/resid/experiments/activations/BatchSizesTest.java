package dev.resid.experiments.activations;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.model.Gpt2Config;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class BatchSizesTest {
  /** A vector for each of 16 positions of a row is 512 bytes. */
  private static final Gpt2Config CONFIG = Gpt2Config.of(2, 2, 8, 30, 16);

  private static final long VECTOR = 512;

  private static BatchSizes choose(int wantedRows, int cleanVectors, long budget) {
    MemoryPlan memory = new MemoryPlan(budget, OptionalLong.of(2 * budget));
    return BatchSizes.choose(CONFIG, 16, 10, 4, wantedRows, cleanVectors, memory);
  }

  @Test
  void rowsComeFirstThenLengths() {
    assertEquals(new BatchSizes(4, 10, VECTOR, 3), choose(0, 3, 4 * VECTOR * 10 * 28));
    assertEquals(new BatchSizes(4, 9, VECTOR, 3), choose(0, 3, 4 * VECTOR * 10 * 28 - 1));
    assertEquals(new BatchSizes(3, 1, VECTOR, 3), choose(0, 3, 4 * VECTOR * 28 - 1));
    assertEquals(new BatchSizes(2, 10, VECTOR, 3), choose(2, 3, 2 * VECTOR * 10 * 28));
  }

  @Test
  void theCleanRunOfManyPointsLeavesRoomForLess() {
    long budget = 4 * VECTOR * 10 * 28;
    BatchSizes chosen = choose(0, 3 + 56, budget);
    assertEquals(new BatchSizes(4, 8, VECTOR, 59), chosen);
    assertEquals(budget, chosen.bytes());
    assertEquals(4 * VECTOR * 59, chosen.cleanRun());
    assertEquals(new BatchSizes(2, 1, VECTOR, 59), choose(0, 59, 2 * VECTOR * (28 + 56)));
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertEquals(1, choose(0, 59, VECTOR * 42).rows());
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> choose(0, 59, VECTOR * 42 - 1));
    assertTrue(e.getMessage().contains("the activations of one call take"), e.getMessage());
  }

  @Test
  void smallerSizesHaveFewerLengthsThenFewerRows() {
    BatchSizes sizes = new BatchSizes(3, 3, VECTOR, 59);
    BatchSizes two = sizes.smaller().orElseThrow();
    assertEquals(new BatchSizes(3, 2, VECTOR, 59), two);
    BatchSizes one = two.smaller().orElseThrow();
    assertEquals(new BatchSizes(3, 1, VECTOR, 59), one);
    assertEquals(new BatchSizes(2, 1, VECTOR, 59), one.smaller().orElseThrow());
    assertEquals(Optional.empty(), new BatchSizes(1, 1, VECTOR, 59).smaller());
  }
}
