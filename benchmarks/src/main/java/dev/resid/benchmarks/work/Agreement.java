package dev.resid.benchmarks.work;

import dev.resid.tensor.Tensor;

/** Refuses to time what computes something else than the reference. */
public final class Agreement {
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
  public static void require(String what, Tensor expected, Tensor actual, double tolerance) {
    float[] e = expected.toArray();
    float[] a = actual.toArray();
    requireLength(what, e, a);
    for (int i = 0; i < e.length; i++) {
      requireClose(what, i, e[i], a[i], tolerance * Math.max(1, Math.abs(e[i])));
    }
  }

  /**
   * Requires every number to be within {@code tolerance · max|expected|} of the reference.
   *
   * @param what what is compared, for the message
   * @param expected the reference's numbers, not all of them 0
   * @param actual as many numbers to be judged
   * @param tolerance relative to the largest expected number
   * @throws IllegalStateException if one is not
   */
  public static void require(String what, float[] expected, float[] actual, double tolerance) {
    requireLength(what, expected, actual);
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    if (!(largest > 0)) {
      throw new IllegalStateException(what + ": the reference gives only zeros");
    }
    for (int i = 0; i < expected.length; i++) {
      requireClose(what, i, expected[i], actual[i], tolerance * largest);
    }
  }

  private static void requireLength(String what, float[] expected, float[] actual) {
    if (expected.length != actual.length) {
      throw new IllegalStateException(
          what + ": expected " + expected.length + " numbers, found " + actual.length);
    }
  }

  private static void requireClose(
      String what, int index, float expected, float actual, double allowed) {
    if (!(Math.abs((double) expected - actual) <= allowed)) {
      throw new IllegalStateException(
          what
              + " at flat index "
              + index
              + ": expected "
              + expected
              + ", found "
              + actual
              + ", allowed difference "
              + allowed);
    }
  }
}
