package dev.resid.experiments.sweep;

import dev.resid.random.CounterRandom;

/**
 * Resampling of rows with replacement: how much a mean over rows would vary with other text. Rows
 * are drawn whole, because positions of one row depend on each other. All columns share the same
 * resamples, so that columns can be compared within a resample.
 *
 * @source Efron and Tibshirani 1993, "An Introduction to the Bootstrap", sections 6 and 13.3
 *     (percentile interval)
 */
public final class Bootstrap {
  private final int resamples;
  private final long seed;

  /**
   * Creates a bootstrap.
   *
   * @param resamples how often to resample, at least 1
   * @param seed same seed, same resamples
   */
  public Bootstrap(int resamples, long seed) {
    if (resamples < 1) {
      throw new IllegalArgumentException("resamples is " + resamples + ", must be at least 1");
    }
    this.resamples = resamples;
    this.seed = seed;
  }

  /** Returns how often rows are resampled. */
  public int resamples() {
    return resamples;
  }

  /**
   * Returns the sums of all columns over all rows.
   *
   * @param values complete
   * @return [columns]
   */
  public static double[] sums(RowValues values) {
    double[] sums = new double[values.columns()];
    for (int row = 0; row < values.rows(); row++) {
      addTimes(1, values.row(row), sums);
    }
    return sums;
  }

  /**
   * Returns the sums of all columns over each resample of the rows.
   *
   * @param values complete
   * @param workers share the resamples
   * @return [resamples, columns]
   */
  public double[][] resampledSums(RowValues values, Workers workers) {
    double[][] sums = new double[resamples][];
    int rows = values.rows();
    workers.forEach(
        resamples,
        s -> {
          int[] times = times(rows, s);
          double[] sum = new double[values.columns()];
          for (int row = 0; row < rows; row++) {
            if (times[row] > 0) {
              addTimes(times[row], values.row(row), sum);
            }
          }
          sums[s] = sum;
        });
    return sums;
  }

  /**
   * Returns how often each row is in a resample, the same for every use: [rows].
   *
   * @param rows how many rows there are
   * @param resample its number, from 0
   */
  public int[] times(int rows, int resample) {
    CounterRandom random = new CounterRandom(seed);
    int[] times = new int[rows];
    long stream = DrawKeys.BOOTSTRAP.stream(resample);
    for (int i = 0; i < rows; i++) {
      times[random.below(rows, stream, 0, i)]++;
    }
    return times;
  }

  private static void addTimes(int times, double[] row, double[] sum) {
    for (int c = 0; c < sum.length; c++) {
      sum[c] += times * row[c];
    }
  }
}
