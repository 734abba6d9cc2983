package dev.resid.benchmarks;

import dev.resid.tensor.Tensor;

/** Refuses to time what computes something else than the reference. */
final class Agreement {
  private Agreement() {}

  /**
   * Requires every element to be within {@code tolerance · max(1, |expected|)} of the reference.
   *
   * @param what what is compared, for the message
   * @param expected the reference's result
   * @param actual the result of the same shape to be judged
   * @param tolerance relative to the larger of 1 and the expected value
   * @throws IllegalStateException if one is not
   */
  static void require(String what, Tensor expected, Tensor actual, double tolerance) {
    float[] e = expected.toArray();
    float[] a = actual.toArray();
    if (e.length != a.length) {
      throw new IllegalStateException(
          what + ": expected " + expected.shape() + ", found " + actual.shape());
    }
    for (int i = 0; i < e.length; i++) {
      double allowed = tolerance * Math.max(1, Math.abs(e[i]));
      if (!(Math.abs((double) e[i] - a[i]) <= allowed)) {
        throw new IllegalStateException(
            what + " at flat index " + i + ": expected " + e[i] + ", found " + a[i]);
      }
    }
  }
}
