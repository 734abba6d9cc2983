package dev.resid.sae.metric;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What an SAE does on a token set: every {@link SaeMetric}, how often each feature is active, and
 * the cosines between its encoder and decoder.
 */
public final class SaeReport {
  private final SaeSums sums;
  private final Optional<double[]> cosines;

  /**
   * Creates a report.
   *
   * @param sums of the whole token set
   * @param cosines between encoder and decoder by feature, [d_sae], where both have the same width
   */
  public SaeReport(SaeSums sums, Optional<double[]> cosines) {
    this.sums = sums;
    this.cosines = cosines.map(double[]::clone);
  }

  /** Returns the sums it follows from. */
  public SaeSums sums() {
    return sums;
  }

  /**
   * Returns a metric; nothing where it does not exist, as a loss over rows of one token.
   *
   * @param metric which one
   * @param scope over which tokens
   */
  public OptionalDouble find(SaeMetric metric, TokenScope scope) {
    double value = metric.of(sums, scope) + 0.0; // no negative zero
    return Double.isFinite(value) ? OptionalDouble.of(value) : OptionalDouble.empty();
  }

  /**
   * Returns a metric.
   *
   * @param metric which one
   * @param scope over which tokens
   * @throws java.util.NoSuchElementException if it does not exist, as a loss over rows of one token
   */
  public double get(SaeMetric metric, TokenScope scope) {
    return find(metric, scope).orElseThrow();
  }

  /**
   * Returns the part of the tokens on which each feature is active, [d_sae].
   *
   * @param scope which tokens
   */
  public double[] frequencies(TokenScope scope) {
    return Arrays.stream(sums.activeTokens(scope))
        .mapToDouble(n -> (double) n / sums.tokens(scope))
        .toArray();
  }

  /**
   * Returns how many features are active how often.
   *
   * @param scope over which tokens
   */
  public FrequencyHistogram histogram(TokenScope scope) {
    return FrequencyHistogram.of(sums.activeTokens(scope), sums.tokens(scope));
  }

  /** Returns the features active on at least one token, ascending. */
  public int[] alive() {
    long[] active = sums.activeTokens(TokenScope.ALL);
    return java.util.stream.IntStream.range(0, active.length).filter(i -> active[i] > 0).toArray();
  }

  /** Returns the cosines between encoder and decoder, [d_sae], where both have the same width. */
  public Optional<double[]> encoderDecoderCosines() {
    return cosines.map(double[]::clone);
  }

  /** Returns the mean of the cosines between encoder and decoder. */
  public OptionalDouble meanEncoderDecoderCosine() {
    return cosines.map(values -> Arrays.stream(values).average()).orElse(OptionalDouble.empty());
  }
}
