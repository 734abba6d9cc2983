package dev.resid.benchmarks.table;

import java.util.Arrays;

/** The middle of some numbers. */
final class Medians {
  private Medians() {}

  /** Returns the median; of an even count, the mean of the two in the middle; NaN of none. */
  static double of(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    if (n == 0) {
      return Double.NaN;
    }
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  }

  /** Returns the median of a_i / b_i. */
  static double ofRatios(double[] a, double[] b) {
    double[] ratios = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      ratios[i] = a[i] / b[i];
    }
    return of(ratios);
  }
}
