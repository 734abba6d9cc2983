package dev.resid.tensor;

import java.util.Arrays;

/**
 * Checks of shapes and indices that every {@link Backend} makes before it writes anything, so that
 * an error reads the same on all of them. A tensor is read as rows, all axes but the last
 * flattened; a name is what the operand is called in {@link Backend}.
 */
public final class OperandChecks {
  private OperandChecks() {}

  /**
   * Returns the number of rows.
   *
   * @throws ArithmeticException if there are more than an int can hold
   */
  public static int rows(Tensor tensor) {
    return Math.toIntExact(tensor.shape().rows());
  }

  /** Returns the size of the last axis. */
  public static int columns(Tensor tensor) {
    return tensor.shape().last();
  }

  /**
   * Returns the number of elements.
   *
   * @throws ArithmeticException if there are more than an int can hold
   */
  public static int elements(Tensor tensor) {
    return Math.toIntExact(tensor.elements());
  }

  /**
   * Requires a number of rows and a size of the last axis.
   *
   * @throws ShapeMismatchException if either is another
   */
  public static void requireRows(String name, Tensor tensor, long rows, int columns) {
    if (tensor.shape().rows() != rows || tensor.shape().last() != columns) {
      throw new ShapeMismatchException(
          name + " is " + tensor.shape() + ", expected " + rows + " rows of " + columns);
    }
  }

  /**
   * Requires the rows and the last axis of another tensor.
   *
   * @throws ShapeMismatchException if either is another
   */
  public static void requireLike(String name, Tensor tensor, Tensor model) {
    requireRows(name, tensor, model.shape().rows(), model.shape().last());
  }

  /**
   * Requires a number of elements, in whatever shape.
   *
   * @throws ShapeMismatchException if there are more or fewer
   */
  public static void requireElements(String name, Tensor tensor, long elements) {
    if (tensor.elements() != elements) {
      throw new ShapeMismatchException(
          name + " is " + tensor.shape() + ", expected " + elements + " elements");
    }
  }

  /**
   * Requires the sizes of all axes.
   *
   * @throws ShapeMismatchException if there are more or fewer axes, or one has another size
   */
  public static void requireSizes(String name, Tensor tensor, int... sizes) {
    if (!Arrays.equals(tensor.shape().sizes(), sizes)) {
      throw new ShapeMismatchException(
          name + " is " + tensor.shape() + ", expected the sizes " + Arrays.toString(sizes));
    }
  }

  /**
   * Requires one index for each row, each from the lowest on and below n.
   *
   * @throws ShapeMismatchException if there are more or fewer than rows
   * @throws IllegalArgumentException if one is outside
   */
  public static void requireIndices(String name, int[] indices, int rows, int lowest, int n) {
    if (indices.length != rows) {
      throw new ShapeMismatchException(
          name + " has " + indices.length + " entries, expected one for each of " + rows + " rows");
    }
    for (int r = 0; r < rows; r++) {
      if (indices[r] < lowest || indices[r] >= n) {
        throw new IllegalArgumentException(
            name + "[" + r + "] is " + indices[r] + ", expected " + lowest + " to " + (n - 1));
      }
    }
  }

  /**
   * Requires every kept entry to be in a column that there is.
   *
   * @throws IllegalArgumentException if one is outside
   */
  public static void requireColumns(SparseRows rows) {
    int[] indices = rows.indices();
    for (int at = 0; at < rows.count(); at++) {
      if (indices[at] < 0 || indices[at] >= rows.columns()) {
        throw new IllegalArgumentException(
            "pair " + at + " is in column " + indices[at] + ", there are " + rows.columns());
      }
    }
  }
}
