package dev.resid.sae.train;

/** The rule for weights of a loss's terms. */
final class LossWeight {
  private LossWeight() {}

  /**
   * Refuses a weight that is not a number of at least 0.
   *
   * @param what names the term
   * @param weight the number
   * @throws IllegalArgumentException if it is negative, infinite or NaN
   */
  static void require(String what, double weight) {
    if (!(weight >= 0) || Double.isInfinite(weight)) {
      throw new IllegalArgumentException(
          "the weight of the " + what + " loss is " + weight + ", must be a number of at least 0");
    }
  }
}
