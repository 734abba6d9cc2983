package dev.resid.experiments.sweep;

import java.util.Arrays;

/**
 * A confidence interval.
 *
 * @param low its lower end
 * @param high its upper end
 */
public record Interval(double low, double high) {
  /** Checks the order of the ends. */
  public Interval {
    if (low > high) {
      throw new IllegalArgumentException("interval from " + low + " to " + high);
    }
  }

  /**
   * Returns the interval that holds the middle part of some samples.
   *
   * @param samples at least one number; quantiles between two of them are interpolated linearly
   * @param level the part inside, for example 0.95
   */
  public static Interval middle(double[] samples, double level) {
    if (samples.length == 0 || !(level > 0 && level < 1)) {
      throw new IllegalArgumentException(
          samples.length + " samples and level " + level + " give no interval");
    }
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    return new Interval(quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2));
  }

  /** Returns whether a number lies inside, ends included. */
  public boolean contains(double value) {
    return low <= value && value <= high;
  }

  private static double quantile(double[] sorted, double part) {
    double at = part * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }
}
