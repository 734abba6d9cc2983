package dev.resid.experiments.sweep;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.random.CounterRandom;
import org.junit.jupiter.api.Test;

class BootstrapTest {
  @Test
  void theSpreadOfResampledMeansIsTheStandardError() {
    RowValues values = normal(400, 1);
    double[] column = new double[400];
    for (int row = 0; row < 400; row++) {
      column[row] = values.get(row, 0);
    }
    Moments moments = Moments.of(column);
    double[] means = new double[2000];
    double[][] sums = sums(values, 2000, 1);
    for (int s = 0; s < means.length; s++) {
      means[s] = sums[s][0] / 400;
    }
    double standardError = moments.standardDeviation() / Math.sqrt(400);
    // Deviation of an estimated deviation: 1/√(2·2000) = 1.6 %; five of them.
    assertEquals(1, Moments.of(means).standardDeviation() / standardError, 0.08);
    assertEquals(moments.mean(), Moments.of(means).mean(), 5 * standardError / Math.sqrt(2000));
    Interval interval = Interval.middle(means, 0.95);
    assertEquals(2 * 1.96 * standardError, interval.high() - interval.low(), standardError * 0.4);
    assertTrue(interval.contains(moments.mean()));
  }

  @Test
  void intervalsCoverTheTruthAboutAsOftenAsTheySay() {
    int covered = 0;
    int trials = 300;
    for (int trial = 0; trial < trials; trial++) {
      double[][] sums = sums(normal(50, trial), 200, trial);
      double[] means = new double[sums.length];
      for (int s = 0; s < sums.length; s++) {
        means[s] = sums[s][0] / 50;
      }
      covered += Interval.middle(means, 0.95).contains(0) ? 1 : 0;
    }
    // 0.95 less the known undercoverage of the percentile interval at n = 50 (about 0.01), and
    // binomial noise of 0.0126 at 300 trials: four of them below, everything above.
    assertTrue(covered > 0.885 * trials && covered < trials, "covered " + covered);
  }

  @Test
  void columnsShareTheirResamples() {
    RowValues values = new RowValues(30, 2);
    for (int row = 0; row < 30; row++) {
      values.set(row, new double[] {row, 3 * row});
    }
    for (double[] sum : sums(values, 50, 1)) {
      assertEquals(3 * sum[0], sum[1]);
    }
  }

  @Test
  void threadsChangeNoBitAndTheSeedDoes() {
    RowValues values = normal(40, 3);
    Bootstrap bootstrap = new Bootstrap(20, 7);
    double[][] one;
    double[][] three;
    try (Workers single = new Workers(1);
        Workers several = new Workers(3)) {
      one = bootstrap.resampledSums(values, single);
      three = bootstrap.resampledSums(values, several);
    }
    for (int s = 0; s < one.length; s++) {
      assertArrayEquals(one[s], three[s]);
    }
    assertFalse(sums(values, 20, 8)[0][0] == one[0][0]);
  }

  @Test
  void quantilesAreInterpolated() {
    double[] samples = {5, 1, 3, 2, 4};
    assertEquals(new Interval(2, 4), Interval.middle(samples, 0.5));
    assertEquals(new Interval(1.5, 4.5), Interval.middle(samples, 0.75));
    assertEquals(new Interval(7, 7), Interval.middle(new double[] {7}, 0.95));
  }

  @Test
  void momentsOfPartsAreThoseOfTheWhole() {
    double[] values = {3, 1e6, -4, 0.5, 1e6 + 1};
    Moments whole = Moments.of(values);
    Moments parts =
        Moments.NONE
            .merge(Moments.of(3, 1e6))
            .merge(Moments.NONE)
            .merge(Moments.of(-4, 0.5, 1e6 + 1));
    assertEquals(whole.count(), parts.count());
    assertEquals(whole.mean(), parts.mean(), 1e-9);
    assertEquals(1, parts.variance() / whole.variance(), 1e-14);
  }

  private static double[][] sums(RowValues values, int resamples, long seed) {
    try (Workers workers = new Workers(1)) {
      return new Bootstrap(resamples, seed).resampledSums(values, workers);
    }
  }

  private static RowValues normal(int rows, long seed) {
    RowValues values = new RowValues(rows, 1);
    float[] draws = new float[rows];
    new CounterRandom(seed).fillNormal(1, 0, draws);
    for (int row = 0; row < rows; row++) {
      values.set(row, new double[] {draws[row]});
    }
    return values;
  }
}
