package dev.resid.experiments.sweep;

/**
 * Number, mean and sum of squared deviations of some values: what is needed to merge means and
 * variances of parts of a data set. Merging the same parts in the same order gives the same bits.
 *
 * @param count number of values n
 * @param mean their mean, 0 if there are none
 * @param sumOfSquares Σ (x − mean)²
 * @source Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", formula 2.1
 */
public record Moments(long count, double mean, double sumOfSquares) {
  /** The moments of no values. */
  public static final Moments NONE = new Moments(0, 0, 0);

  /** Checks the ranges. */
  public Moments {
    if (count < 0 || sumOfSquares < 0) {
      throw new IllegalArgumentException(
          "count " + count + " and sum of squares " + sumOfSquares + " must not be negative");
    }
  }

  /** Returns the moments of the values, in two passes. */
  public static Moments of(double... values) {
    if (values.length == 0) {
      return NONE;
    }
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    double mean = sum / values.length;
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    return new Moments(values.length, mean, squares);
  }

  /** Returns the moments of these values and the other ones together. */
  public Moments merge(Moments later) {
    if (count == 0) {
      return later;
    }
    if (later.count == 0) {
      return this;
    }
    long n = count + later.count;
    double delta = later.mean - mean;
    return new Moments(
        n,
        mean + delta * later.count / n,
        sumOfSquares + later.sumOfSquares + delta * delta * ((double) count * later.count / n));
  }

  /**
   * Returns Σ (x − mean)² / (n − 1).
   *
   * @throws IllegalStateException if there are fewer than two values
   */
  public double variance() {
    if (count < 2) {
      throw new IllegalStateException("a variance needs two values, there are " + count);
    }
    return sumOfSquares / (count - 1);
  }

  /**
   * Returns the square root of {@link #variance}.
   *
   * @throws IllegalStateException if there are fewer than two values
   */
  public double standardDeviation() {
    return Math.sqrt(variance());
  }
}
