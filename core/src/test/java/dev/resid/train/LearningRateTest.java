package dev.resid.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class LearningRateTest {
  private final LearningRate rate = new LearningRate(1e-3, 10, 110, 0.1);

  @Test
  void risesLinearlyOverTheWarmUp() {
    assertEquals(1e-4, rate.at(1), 1e-18);
    assertEquals(1e-3, rate.at(10), 1e-18);
  }

  @Test
  void fallsAsHalfACosineToTheFinalFraction() {
    assertEquals(0.55e-3, rate.at(60), 1e-15); // half way: the mean of peak and end
    assertEquals(0.1e-3, rate.at(110), 1e-15);
    assertEquals(0.1e-3, rate.at(500), 1e-15);
  }

  @Test
  void impossibleSchedulesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new LearningRate(0, 1, 2, 0));
    assertThrows(IllegalArgumentException.class, () -> new LearningRate(1, 5, 5, 0));
    assertThrows(IllegalArgumentException.class, () -> new LearningRate(1, 1, 5, 2));
  }
}
