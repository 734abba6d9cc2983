package dev.resid.sae.dictionary;

import java.util.Arrays;

/**
 * How often a feature has which activation. Bins are equally wide from 0 to the largest activation;
 * a bin holds what lies above its lower edge, up to and including its upper one. Tokens on which
 * the feature is not active stand apart.
 *
 * @param inactive tokens on which the feature is 0 (or below)
 * @param largest the upper edge of the last bin; 0 if the feature is never active
 * @param counts tokens in each bin, [bins]
 */
public record ActivationHistogram(long inactive, double largest, long[] counts) {
  /** Copies the counts. */
  public ActivationHistogram {
    counts = counts.clone();
  }

  /**
   * Returns the histogram of the activations of a feature.
   *
   * @param tokens number of tokens
   * @param bins how many
   * @param active the activations that are not 0
   */
  static ActivationHistogram of(long tokens, int bins, float... active) {
    if (bins < 1) {
      throw new IllegalArgumentException("a histogram has at least one bin, got " + bins);
    }
    double largest = 0;
    for (float value : active) {
      largest = Math.max(largest, value);
    }
    long[] counts = new long[bins];
    for (float value : active) {
      if (value > 0) {
        counts[bin(value, 0, largest, bins) - 1]++;
      }
    }
    return new ActivationHistogram(tokens - Arrays.stream(counts).sum(), largest, counts);
  }

  /** Returns the lower edge of a bin. */
  public double edge(int bin) {
    return largest * bin / counts.length;
  }

  /**
   * Returns the bin, from 1, whose range (edge, next edge] a value lies in; 0 for the smallest
   * value.
   */
  static int bin(double value, double smallest, double largest, int bins) {
    if (value <= smallest) {
      return 0;
    }
    int bin = (int) Math.ceil((value - smallest) / (largest - smallest) * bins);
    // The quotient is rounded; the edges decide.
    while (bin > 1 && value <= upper(bin - 1, smallest, largest, bins)) {
      bin--;
    }
    while (bin < bins && value > upper(bin, smallest, largest, bins)) {
      bin++;
    }
    return Math.clamp(bin, 1, bins);
  }

  private static double upper(int bin, double smallest, double largest, int bins) {
    return smallest + (largest - smallest) * bin / bins;
  }
}
