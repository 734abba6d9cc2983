package dev.resid.testing;

import dev.resid.tensor.Dim;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.StringJoiner;

/**
 * The one comparison of the tests. It looks at the shape first, then at where NaN and infinities
 * are, then at the values, and throws with everything needed to repeat the case.
 *
 * @param backend whose result it is, or what produced it
 * @param operation what was computed
 * @param seed seed of the inputs; 0 where they are fixed
 */
public record TensorAssert(String backend, String operation, long seed) {
  /**
   * Compares two tensors.
   *
   * @throws AssertionError if shapes differ, or a value is further off than allowed
   */
  public void close(Tensor expected, Tensor actual, Tolerance tolerance) {
    requireShape(expected.shape(), actual.shape());
    close(expected.shape(), doubles(expected), doubles(actual), tolerance);
  }

  /**
   * Compares float64 values with a tensor.
   *
   * @param expected row-major values of the shape of {@code actual}
   * @throws AssertionError if the numbers of values differ, or a value is further off than allowed
   */
  public void close(double[] expected, Tensor actual, Tolerance tolerance) {
    close(actual.shape(), expected, doubles(actual), tolerance);
  }

  /**
   * Compares float64 values.
   *
   * @param shape names the axes in the message
   * @throws AssertionError if the numbers of values differ, or a value is further off than allowed
   */
  public void close(Shape shape, double[] expected, double[] actual, Tolerance tolerance) {
    requireLength(shape, expected, actual);
    requireSamePattern(shape, expected, actual);
    int worst = -1;
    int wrong = 0;
    double worstRatio = -1;
    for (int i = 0; i < expected.length; i++) {
      if (!Double.isFinite(expected[i])) {
        continue;
      }
      double allowed = tolerance.allowed(i, expected[i]);
      double distance = Math.abs(expected[i] - actual[i]);
      if (!(distance <= allowed)) {
        wrong++;
        double ratio = distance / allowed;
        if (!(ratio <= worstRatio)) {
          worstRatio = ratio;
          worst = i;
        }
      }
    }
    if (wrong > 0) {
      double allowed = tolerance.allowed(worst, expected[worst]);
      throw failure(
          shape,
          worst,
          expected[worst],
          actual[worst],
          "allowed " + allowed + ", off by " + Math.abs(expected[worst] - actual[worst]),
          wrong,
          expected.length);
    }
  }

  /**
   * Checks that two tensors have the same bits in every element; any NaN equals any other.
   *
   * @throws AssertionError if shapes or bits differ
   */
  public void sameBits(Tensor expected, Tensor actual) {
    requireShape(expected.shape(), actual.shape());
    float[] one = expected.toArray();
    float[] other = actual.toArray();
    if (!Arrays.equals(one, other)) {
      sameBits(expected.shape(), doubles(one), doubles(other));
    }
  }

  /**
   * Checks that two arrays have the same bits; any NaN equals any other.
   *
   * @param shape names the axes in the message
   * @throws AssertionError if lengths or bits differ
   */
  public void sameBits(Shape shape, double[] expected, double[] actual) {
    requireLength(shape, expected, actual);
    if (Arrays.equals(expected, actual)) {
      return; // which compares as below, at once
    }
    int first = -1;
    int wrong = 0;
    for (int i = 0; i < expected.length; i++) {
      if (Double.doubleToLongBits(expected[i]) != Double.doubleToLongBits(actual[i])) {
        first = first < 0 ? i : first;
        wrong++;
      }
    }
    if (wrong > 0) {
      throw failure(
          shape, first, expected[first], actual[first], "the same bits", wrong, expected.length);
    }
  }

  /**
   * Checks a condition that is no comparison of arrays.
   *
   * @param detail expected and found
   * @throws AssertionError unless it holds
   */
  public void holds(boolean condition, String detail) {
    if (!condition) {
      throw new AssertionError(where() + ": " + detail);
    }
  }

  private void requireShape(Shape expected, Shape actual) {
    if (!expected.equals(actual)) {
      throw new AssertionError(where() + ": expected shape " + expected + ", actual " + actual);
    }
  }

  private void requireLength(Shape shape, double[] expected, double[] actual) {
    if (expected.length != actual.length || shape.elements() != actual.length) {
      throw new AssertionError(
          where()
              + " "
              + shape
              + ": expected "
              + expected.length
              + " values, actual "
              + actual.length);
    }
  }

  private void requireSamePattern(Shape shape, double[] expected, double[] actual) {
    int first = -1;
    int wrong = 0;
    for (int i = 0; i < expected.length; i++) {
      boolean ordinary = Double.isFinite(expected[i]) && Double.isFinite(actual[i]);
      if (!ordinary && Double.compare(expected[i], actual[i]) != 0) {
        first = first < 0 ? i : first;
        wrong++;
      }
    }
    if (wrong > 0) {
      throw failure(
          shape,
          first,
          expected[first],
          actual[first],
          "NaN and infinities in the same places",
          wrong,
          expected.length);
    }
  }

  private AssertionError failure(
      Shape shape, int index, double expected, double actual, String rule, int wrong, int total) {
    return new AssertionError(
        where()
            + " "
            + shape
            + " at "
            + named(shape, index)
            + ": expected "
            + expected
            + ", actual "
            + actual
            + ", "
            + rule
            + " ("
            + wrong
            + " of "
            + total
            + " differ)");
  }

  private String where() {
    return backend + " " + operation + (seed == 0 ? "" : " seed " + seed);
  }

  private static String named(Shape shape, int flat) {
    List<Dim> dims = shape.dims();
    int[] index = new int[dims.size()];
    int rest = flat;
    for (int i = dims.size() - 1; i >= 0; i--) {
      index[i] = rest % dims.get(i).size();
      rest /= dims.get(i).size();
    }
    StringJoiner joiner = new StringJoiner(", ", "[", "]");
    for (int i = 0; i < index.length; i++) {
      joiner.add(dims.get(i).axis() + "=" + index[i]);
    }
    return joiner.toString();
  }

  private static double[] doubles(Tensor tensor) {
    return doubles(tensor.toArray());
  }

  /** Returns the values in float64: a loop, as this runs for every comparison of the contract. */
  public static double[] doubles(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }
}
