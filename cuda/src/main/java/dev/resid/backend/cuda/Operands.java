package dev.resid.backend.cuda;

import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import java.util.Arrays;

/** Checks of shapes and indices, before anything is written. */
final class Operands {
  private Operands() {}

  static int rows(Tensor tensor) {
    return Math.toIntExact(tensor.shape().rows());
  }

  static int columns(Tensor tensor) {
    return tensor.shape().last();
  }

  static void require(String operand, Tensor tensor, long rows, int columns) {
    if (tensor.shape().rows() != rows || tensor.shape().last() != columns) {
      throw new ShapeMismatchException(
          operand + " is " + tensor.shape() + ", expected " + rows + " rows of " + columns);
    }
  }

  static void requireLike(String operand, Tensor tensor, Tensor model) {
    require(operand, tensor, model.shape().rows(), model.shape().last());
  }

  static void requireElements(String operand, Tensor tensor, long elements) {
    if (tensor.elements() != elements) {
      throw new ShapeMismatchException(
          operand + " is " + tensor.shape() + ", expected " + elements + " elements");
    }
  }

  static void requireFour(String operand, Tensor tensor, int... sizes) {
    if (!Arrays.equals(tensor.shape().sizes(), sizes)) {
      throw new ShapeMismatchException(
          operand + " is " + tensor.shape() + ", expected sizes " + Arrays.toString(sizes));
    }
  }

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

  static void requireSameSizes(Shape found, Shape expected) {
    if (!Arrays.equals(found.sizes(), expected.sizes())) {
      throw new ShapeMismatchException(
          "the matrix to overwrite is " + expected + ", the new values are " + found);
    }
  }

  static void requireBetween(String what, int value, int highest, Object of) {
    if (value < 0 || value > highest) {
      throw new IllegalArgumentException(
          what + " is " + value + ", expected 0 to " + highest + ", the last axis of " + of);
    }
  }

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
