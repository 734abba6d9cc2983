package dev.resid.experiments.plateau;

import java.util.Arrays;

/** The two-sample Kolmogorov-Smirnov statistic. */
public final class KolmogorovSmirnov {
  private KolmogorovSmirnov() {}

  /**
   * Returns max over x of |F(x) − G(x)|, the largest distance of the two empirical distribution
   * functions: 0 for equal samples, 1 for samples whose ranges do not overlap.
   *
   * @param one at least one number
   * @param other at least one number
   * @throws IllegalArgumentException if a sample is empty
   */
  public static double statistic(double[] one, double[] other) {
    if (one.length == 0 || other.length == 0) {
      throw new IllegalArgumentException(
          "samples of " + one.length + " and " + other.length + " numbers cannot be compared");
    }
    double[] left = one.clone();
    double[] right = other.clone();
    Arrays.sort(left);
    Arrays.sort(right);
    int l = 0;
    int r = 0;
    double most = 0;
    while (l < left.length && r < right.length) {
      double x = Math.min(left[l], right[r]);
      while (l < left.length && left[l] == x) {
        l++;
      }
      while (r < right.length && right[r] == x) {
        r++;
      }
      most = Math.max(most, Math.abs((double) l / left.length - (double) r / right.length));
    }
    return most;
  }

  /**
   * Returns the statistic of two samples of small whole numbers, given as how often each occurs.
   *
   * @param one [value] counts
   * @param other [value] counts of the same values
   */
  static double ofCounts(double[] one, double[] other) {
    double oneTotal = Arrays.stream(one).sum();
    double otherTotal = Arrays.stream(other).sum();
    double below = 0;
    double otherBelow = 0;
    double most = 0;
    for (int value = 0; value < one.length; value++) {
      below += one[value];
      otherBelow += other[value];
      most = Math.max(most, Math.abs(below / oneTotal - otherBelow / otherTotal));
    }
    return most;
  }
}
