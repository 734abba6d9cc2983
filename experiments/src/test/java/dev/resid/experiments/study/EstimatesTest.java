package dev.resid.experiments.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.sweep.Interval;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import org.junit.jupiter.api.Test;

class EstimatesTest {
  private static final int ROWS = 12;

  /** Of every row its number, twice that, and 1 in the first two rows only. */
  private static Estimates estimates() {
    RowValues values = new RowValues(ROWS, 3);
    for (int row = 0; row < ROWS; row++) {
      values.set(row, new double[] {row, 2 * row, row < 2 ? 1 : 0});
    }
    try (Workers workers = new Workers(1)) {
      return new Estimates(values, 400, 5, workers);
    }
  }

  @Test
  void aMeanIsTheSumOverTheRows() {
    Estimate mean = estimates().mean(0);
    assertEquals(5.5, mean.value());
    // The standard error is √(143/12/12) = 0.9965; the interval about 3.9 of them wide.
    assertEquals(3.9, mean.interval().high() - mean.interval().low(), 0.5);
    assertTrue(mean.interval().contains(5.5), mean.text(3));
  }

  @Test
  void aRatioIsTakenWithinEachResample() {
    Estimate twice = estimates().ratio(1, 0);
    assertEquals(new Estimate(2, new Interval(2, 2)), twice);
  }

  @Test
  void resamplesInWhichThereIsNoFiniteNumberAreLeftOut() {
    // A ninth of the resamples has neither of the first two rows, and divides by 0.
    Estimate ratio = estimates().ratio(0, 2);
    assertEquals(33, ratio.value());
    assertTrue(Double.isFinite(ratio.interval().high()), ratio.text(3));
    assertTrue(ratio.interval().low() < 33 && ratio.interval().high() > 33, ratio.text(3));
  }

  @Test
  void whereNoResampleHasANumberTheIntervalIsTheValue() {
    Estimate infinite = estimates().of(sums -> Double.POSITIVE_INFINITY);
    assertEquals(Double.POSITIVE_INFINITY, infinite.value());
    assertEquals(infinite.value(), infinite.interval().low());
    assertEquals(infinite.value(), infinite.interval().high());
  }

  @Test
  void theTextHasTheValueAndItsInterval() {
    assertEquals("1.23 (1.00 to 2.00)", new Estimate(1.2345, new Interval(1, 2)).text(3));
  }
}
