package dev.resid.backend.scalar;

import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;

/** Checks operands and turns them into arrays. Host arrays are used in place. */
final class Operands {
  private Operands() {}

  /** Returns the values: the array itself if they are on the host, else a copy. */
  static float[] input(Tensor tensor) {
    return tensor.storage() instanceof HostStorage host ? host.array() : tensor.toArray();
  }

  /**
   * Returns the array to write to.
   *
   * @param operand what it is called in {@link dev.resid.tensor.Backend}, for messages
   * @param inputs tensors it must not share its storage with
   * @throws IllegalArgumentException if it is not on the host or is one of the inputs
   */
  static float[] output(String operand, Tensor tensor, Tensor... inputs) {
    if (!(tensor.storage() instanceof HostStorage host)) {
      throw new IllegalArgumentException(
          operand
              + " "
              + tensor.shape()
              + " is on "
              + tensor.storage().getClass().getSimpleName()
              + ", expected a tensor that this backend allocated or one on the host");
    }
    for (Tensor input : inputs) {
      if (input.storage() instanceof HostStorage other && other.array() == host.array()) {
        throw new IllegalArgumentException(
            operand + " " + tensor.shape() + " is also an input; give it a tensor of its own");
      }
    }
    return host.array();
  }

  /** Returns the number of rows. */
  static int rows(Tensor tensor) {
    return Math.toIntExact(tensor.shape().rows());
  }

  /** Returns the size of the last axis. */
  static int columns(Tensor tensor) {
    return tensor.shape().last();
  }

  /** Checks that a tensor read as rows has the same rows and columns as another. */
  static void requireLike(String operand, Tensor tensor, Tensor model) {
    requireRows(operand, tensor, rows(model), columns(model));
  }

  /** Checks the number of rows and the size of the last axis. */
  static void requireRows(String operand, Tensor tensor, int rows, int columns) {
    if (tensor.shape().rows() != rows || tensor.shape().last() != columns) {
      throw new ShapeMismatchException(
          operand + " is " + tensor.shape() + ", expected " + rows + " rows of " + columns);
    }
  }

  /** Checks the number of elements. */
  static void requireElements(String operand, Tensor tensor, long elements) {
    if (tensor.elements() != elements) {
      throw new ShapeMismatchException(
          operand + " is " + tensor.shape() + ", expected " + elements + " elements");
    }
  }

  /** Checks the sizes of the four axes. */
  static void requireFour(String operand, Tensor tensor, int a, int b, int c, int d) {
    int[] found = tensor.shape().sizes();
    if (found.length != 4 || found[0] != a || found[1] != b || found[2] != c || found[3] != d) {
      throw new ShapeMismatchException(
          operand
              + " is "
              + tensor.shape()
              + ", expected sizes "
              + a
              + ", "
              + b
              + ", "
              + c
              + ", "
              + d);
    }
  }

  /** Checks that there is one index a row and that each is at least {@code lowest} and below n. */
  static void requireIndices(String operand, int[] indices, int rows, int lowest, int n) {
    if (indices.length != rows) {
      throw new ShapeMismatchException(
          operand
              + " has "
              + indices.length
              + " entries, expected one for each of "
              + rows
              + " rows");
    }
    for (int r = 0; r < rows; r++) {
      if (indices[r] < lowest || indices[r] >= n) {
        throw new IllegalArgumentException(
            operand + "[" + r + "] is " + indices[r] + ", expected " + lowest + " to " + (n - 1));
      }
    }
  }

  /**
   * Returns the matrix as one of this backend.
   *
   * @throws IllegalArgumentException if another backend packed it
   */
  static ScalarMatrix matrix(Matrix matrix) {
    if (matrix instanceof ScalarMatrix own) {
      return own;
    }
    throw new IllegalArgumentException(
        "the matrix "
            + matrix.shape()
            + " is a "
            + matrix.getClass().getSimpleName()
            + ", packed by another backend; pack it with this one");
  }

  /** Checks that every kept entry is in a column that there is. */
  static void requireColumns(SparseRows rows) {
    int[] indices = rows.indices();
    for (int at = 0; at < rows.count(); at++) {
      if (indices[at] < 0 || indices[at] >= rows.columns()) {
        throw new IllegalArgumentException(
            "pair " + at + " is in column " + indices[at] + ", there are " + rows.columns());
      }
    }
  }
}
