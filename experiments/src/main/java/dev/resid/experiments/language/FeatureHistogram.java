package dev.resid.experiments.language;

import java.util.Arrays;

/**
 * How many numbers lie in bins of one width.
 *
 * @param low lower edge of the first bin
 * @param width of a bin
 * @param counts numbers in each bin
 */
record FeatureHistogram(double low, double width, long... counts) {
  static final int BINS = 100;

  /**
   * Returns 100 bins from the least number to the largest, which belongs to the last bin; around a
   * single number bins of 0.01.
   */
  static FeatureHistogram of(double... numbers) {
    double low = Arrays.stream(numbers).min().orElseThrow();
    double high = Arrays.stream(numbers).max().orElseThrow();
    if (low == high) {
      low -= 0.5;
      high += 0.5;
    }
    return counted(low, (high - low) / BINS, BINS, numbers);
  }

  /**
   * Returns at most 100 bins of a whole width around whole numbers: with other widths one bin would
   * hold more of them than the next.
   */
  static FeatureHistogram ofWhole(double... numbers) {
    double low = Arrays.stream(numbers).min().orElseThrow();
    double high = Arrays.stream(numbers).max().orElseThrow();
    double width = Math.ceil((high - low + 1) / BINS);
    int bins = (int) Math.ceil((high - low + 1) / width);
    return counted(low - 0.5, width, bins, numbers);
  }

  private static FeatureHistogram counted(double low, double width, int bins, double... numbers) {
    long[] counts = new long[bins];
    for (double number : numbers) {
      counts[Math.clamp((long) Math.floor((number - low) / width), 0, bins - 1)]++;
    }
    return new FeatureHistogram(low, width, counts);
  }

  /** Returns the lower edge of a bin, or for the number of bins the upper edge of the last one. */
  double edge(int bin) {
    return low + bin * width;
  }
}
