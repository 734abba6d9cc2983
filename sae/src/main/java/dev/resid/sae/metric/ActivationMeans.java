package dev.resid.sae.metric;

import java.util.Arrays;

/**
 * Sums of activations over tokens, for their mean x̄. Means of parts of a token set are merged into
 * the mean of all; merging the same parts in the same order gives the same bits.
 */
public final class ActivationMeans {
  private final int width;

  /** For each scope the number of tokens, then the sums of the components. */
  private final double[] values;

  private ActivationMeans(int width, double[] values) {
    this.width = width;
    this.values = values;
  }

  /** Returns sums over no tokens, of activations of a width. */
  static ActivationMeans none(int width) {
    return new ActivationMeans(width, new double[numbers(width)]);
  }

  /** Returns how many numbers {@link #toArray} has for activations of a width. */
  public static int numbers(int width) {
    return TokenScope.values().length * (width + 1);
  }

  /**
   * Returns the sums that an array holds.
   *
   * @param numbers what {@link #toArray} returned
   * @throws IllegalArgumentException if its length fits no width
   */
  public static ActivationMeans of(double[] numbers) {
    int width = numbers.length / TokenScope.values().length - 1;
    if (width < 1 || numbers(width) != numbers.length) {
      throw new IllegalArgumentException(
          numbers.length + " numbers are no sums of activations of any width");
    }
    return new ActivationMeans(width, numbers.clone());
  }

  /** Returns all numbers, for storing. */
  public double[] toArray() {
    return values.clone();
  }

  /** Returns the width of the activations. */
  public int width() {
    return width;
  }

  /** Returns the number of tokens. */
  public long tokens(TokenScope scope) {
    return (long) values[base(scope)];
  }

  /**
   * Returns the mean activation, [width]; all 0 if there are no tokens.
   *
   * @param scope which tokens
   */
  public double[] mean(TokenScope scope) {
    double[] mean = Arrays.copyOfRange(values, base(scope) + 1, base(scope) + 1 + width);
    for (int c = 0; c < width && tokens(scope) > 0; c++) {
      mean[c] /= tokens(scope);
    }
    return mean;
  }

  /**
   * Returns the sums over these tokens and other ones.
   *
   * @param later of the same width
   * @throws IllegalArgumentException if the widths differ
   */
  public ActivationMeans merge(ActivationMeans later) {
    if (later.width != width) {
      throw new IllegalArgumentException(
          "sums of activations of widths " + width + " and " + later.width);
    }
    double[] sum = values.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += later.values[i];
    }
    return new ActivationMeans(width, sum);
  }

  /** Adds the activation of a token that stands in an array. */
  void add(int pos, float[] activations, int offset) {
    for (TokenScope scope : TokenScope.values()) {
      if (pos >= scope.firstPosition()) {
        int base = base(scope);
        values[base]++;
        for (int c = 0; c < width; c++) {
          values[base + 1 + c] += activations[offset + c];
        }
      }
    }
  }

  private int base(TokenScope scope) {
    return scope.ordinal() * (width + 1);
  }
}
