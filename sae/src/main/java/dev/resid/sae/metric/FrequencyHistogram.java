package dev.resid.sae.metric;

import java.util.Arrays;

/**
 * How many features are active how often: the frequency of a feature is the part of the tokens on
 * which it is not 0. Bins are equally wide in log₁₀ of the frequency, five a power of ten, from 1
 * down to the lowest frequency the number of tokens can show; dead features stand apart.
 *
 * @param dead features active on no token
 * @param edges lower edges of the bins and the upper one of the last, ascending, [bins + 1]
 * @param counts features with a frequency from an edge to the next, the upper one excluded but for
 *     the last bin, [bins]
 */
public record FrequencyHistogram(long dead, double[] edges, long[] counts) {
  /** A feature active on a larger part of the tokens is called dense. */
  public static final double DENSE = 0.1;

  private static final int BINS_PER_POWER = 5;

  /** Copies the arrays and checks their lengths. */
  public FrequencyHistogram {
    if (edges.length != counts.length + 1) {
      throw new IllegalArgumentException(
          counts.length + " bins have one edge more, got " + edges.length);
    }
    edges = edges.clone();
    counts = counts.clone();
  }

  /**
   * Returns the histogram of active-token counts.
   *
   * @param activeTokens tokens on which each feature is active, [d_sae]
   * @param tokens number of tokens, at least 1
   */
  public static FrequencyHistogram of(long[] activeTokens, long tokens) {
    if (tokens < 1) {
      throw new IllegalArgumentException("a frequency needs at least one token");
    }
    int bins = Math.max(1, (int) Math.ceil(Math.log10(tokens) * BINS_PER_POWER - 1e-9));
    double[] edges = new double[bins + 1];
    for (int b = 0; b <= bins; b++) {
      edges[b] = Math.pow(10, (double) (b - bins) / BINS_PER_POWER);
    }
    long[] counts = new long[bins];
    long dead = 0;
    for (long active : activeTokens) {
      if (active == 0) {
        dead++;
        continue;
      }
      int at = Arrays.binarySearch(edges, (double) active / tokens);
      int bin = at >= 0 ? at : -at - 2;
      counts[Math.clamp(bin, 0, bins - 1)]++;
    }
    return new FrequencyHistogram(dead, edges, counts);
  }

  static long alive(long[] activeTokens) {
    return Arrays.stream(activeTokens).filter(n -> n > 0).count();
  }

  static long dense(long[] activeTokens, long tokens) {
    return Arrays.stream(activeTokens).filter(n -> n > DENSE * tokens).count();
  }
}
