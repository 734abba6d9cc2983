package dev.resid.experiments.study;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.Interval;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.util.function.ToDoubleFunction;

/**
 * Statistics of sums over rows, each with the interval that resampling the rows gives. All share
 * the same resamples, so that differences and ratios are taken within one.
 */
public final class Estimates {
  private static final double LEVEL = 0.95;

  private final int rows;
  private final double[] sums;
  private final double[][] resampled;

  /**
   * Resamples the rows.
   *
   * @param values complete, all finite
   * @param resamples how often
   * @param seed same seed, same resamples
   * @param workers share the resamples
   */
  public Estimates(RowValues values, int resamples, long seed, Workers workers) {
    this(values, new Bootstrap(resamples, seed), workers);
  }

  /**
   * Resamples the rows.
   *
   * @param values complete, all finite
   * @param bootstrap how they are resampled
   * @param workers share the resamples
   */
  public Estimates(RowValues values, Bootstrap bootstrap, Workers workers) {
    this.rows = values.rows();
    this.sums = Bootstrap.sums(values);
    this.resampled = bootstrap.resampledSums(values, workers);
  }

  /**
   * A number with its interval.
   *
   * @param value over all rows
   * @param interval the middle 95 % of the resamples in which it exists; the value itself if there
   *     are none
   */
  public record Estimate(double value, Interval interval) {
    /** Returns the factor whose logarithm this is. */
    public Estimate factor() {
      return new Estimate(
          Math.exp(value), new Interval(Math.exp(interval.low()), Math.exp(interval.high())));
    }

    /** Returns the number and its interval, as people read them. */
    public String text(int digits) {
      return Numbers.significant(value, digits)
          + " ("
          + Numbers.significant(interval.low(), digits)
          + " to "
          + Numbers.significant(interval.high(), digits)
          + ")";
    }
  }

  /** Returns the number of rows. */
  public int rows() {
    return rows;
  }

  /** Returns the mean of a column over rows. */
  public Estimate mean(int column) {
    return of(sums -> sums[column] / rows);
  }

  /**
   * Returns the sum of one column over that of another, for means over what only some rows have.
   */
  public Estimate ratio(int above, int below) {
    return of(sums -> sums[above] / sums[below]);
  }

  /** Returns a value without its interval. */
  public double value(ToDoubleFunction<double[]> statistic) {
    return statistic.applyAsDouble(sums);
  }

  /**
   * Returns a statistic of the columns' sums over rows.
   *
   * @param statistic given the sum of every column over a resample of as many rows; resamples in
   *     which it is not finite are left out of the interval
   */
  public Estimate of(ToDoubleFunction<double[]> statistic) {
    double value = statistic.applyAsDouble(sums);
    double[] samples = new double[resampled.length];
    int n = 0;
    for (double[] sample : resampled) {
      double one = statistic.applyAsDouble(sample);
      if (Double.isFinite(one)) {
        samples[n] = one;
        n++;
      }
    }
    if (n == 0) {
      return new Estimate(value, new Interval(value, value));
    }
    return new Estimate(value, Interval.middle(java.util.Arrays.copyOf(samples, n), LEVEL));
  }
}
