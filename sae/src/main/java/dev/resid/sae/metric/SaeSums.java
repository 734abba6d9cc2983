package dev.resid.sae.metric;

import java.util.Arrays;

/**
 * Sums over tokens from which every metric of an SAE follows, in float64, and counts of every
 * feature. Sums of parts of a token set are merged into those of all; merging the same parts in the
 * same order gives the same bits, another grouping differs by rounding, about 1e-15 of a sum.
 */
public final class SaeSums {
  private static final int SCOPES = TokenScope.values().length;
  private static final int SUMS = Sum.values().length;

  /** What is known of each feature. */
  private enum Count {
    TOKENS,
    TOKENS_WITHOUT_FIRST,
    ROWS,
    VALUE,
    LARGEST
  }

  private static final int HEAD = SCOPES * SUMS;

  private final int dSae;

  /** [scope, sum], then [count, d_sae]. */
  private final double[] values;

  private SaeSums(int dSae, double[] values) {
    this.dSae = dSae;
    this.values = values;
  }

  /** Returns the sums of no tokens. */
  static SaeSums none(int dSae) {
    return new SaeSums(dSae, new double[numbers(dSae)]);
  }

  /** Returns how many numbers {@link #toArray} has for so many features. */
  public static int numbers(int dSae) {
    return Math.addExact(HEAD, Math.multiplyExact(Count.values().length, dSae));
  }

  /**
   * Returns the sums that an array holds.
   *
   * @param numbers what {@link #toArray} returned
   * @throws IllegalArgumentException if its length fits no number of features
   */
  public static SaeSums of(double[] numbers) {
    int dSae = (numbers.length - HEAD) / Count.values().length;
    if (dSae < 1 || numbers(dSae) != numbers.length) {
      throw new IllegalArgumentException(numbers.length + " numbers are no sums of an SAE");
    }
    return new SaeSums(dSae, numbers.clone());
  }

  /** Returns all numbers, for storing. */
  public double[] toArray() {
    return values.clone();
  }

  /** Returns the number of features, active or not. */
  public int dSae() {
    return dSae;
  }

  /** Returns the number of tokens. */
  public long tokens(TokenScope scope) {
    return (long) get(scope, Sum.TOKENS);
  }

  /**
   * Returns on how many tokens each feature is active, [d_sae].
   *
   * @param scope which tokens
   */
  public long[] activeTokens(TokenScope scope) {
    Count count = scope == TokenScope.ALL ? Count.TOKENS : Count.TOKENS_WITHOUT_FIRST;
    return Arrays.stream(part(count)).mapToLong(n -> (long) n).toArray();
  }

  /** Returns in how many rows each feature is active at least once, [d_sae]. */
  public long[] activeRows() {
    return Arrays.stream(part(Count.ROWS)).mapToLong(n -> (long) n).toArray();
  }

  /** Returns the mean of each feature over the tokens on which it is active, [d_sae]; 0 if none. */
  public double[] meanWhereActive() {
    double[] sums = part(Count.VALUE);
    double[] tokens = part(Count.TOKENS);
    for (int i = 0; i < dSae; i++) {
      sums[i] = tokens[i] == 0 ? 0 : sums[i] / tokens[i];
    }
    return sums;
  }

  /** Returns the largest value of each feature, [d_sae]; 0 if it is never active. */
  public double[] largest() {
    return part(Count.LARGEST);
  }

  /**
   * Returns the sums over these tokens and other ones.
   *
   * @param later of the same number of features
   * @throws IllegalArgumentException if the numbers of features differ
   */
  public SaeSums merge(SaeSums later) {
    if (later.dSae != dSae) {
      throw new IllegalArgumentException(
          "sums of SAEs of " + dSae + " and " + later.dSae + " features");
    }
    double[] merged = values.clone();
    int largest = HEAD + Count.LARGEST.ordinal() * dSae;
    for (int i = 0; i < merged.length; i++) {
      merged[i] = i < largest ? merged[i] + later.values[i] : Math.max(merged[i], later.values[i]);
    }
    return new SaeSums(dSae, merged);
  }

  double get(TokenScope scope, Sum sum) {
    return values[scope.ordinal() * SUMS + sum.ordinal()];
  }

  void add(TokenScope scope, Sum sum, double value) {
    values[scope.ordinal() * SUMS + sum.ordinal()] += value;
  }

  /** Adds one active feature of one token. */
  void addFeature(int feature, int pos, double value) {
    values[HEAD + feature]++;
    if (pos > 0) {
      values[HEAD + Count.TOKENS_WITHOUT_FIRST.ordinal() * dSae + feature]++;
    }
    values[HEAD + Count.VALUE.ordinal() * dSae + feature] += value;
    int largest = HEAD + Count.LARGEST.ordinal() * dSae + feature;
    values[largest] = Math.max(values[largest], value);
  }

  /** Adds one row in which a feature is active. */
  void addRow(int feature) {
    values[HEAD + Count.ROWS.ordinal() * dSae + feature]++;
  }

  private double[] part(Count count) {
    int from = HEAD + count.ordinal() * dSae;
    return Arrays.copyOfRange(values, from, from + dSae);
  }
}
