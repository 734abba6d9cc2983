package dev.resid.backend.vector;

import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import java.util.Arrays;

/** Checks operands and finds their arrays. */
final class Operands {
  private Operands() {}

  /** Returns the values from index 0: the array itself on the host, a copy of anything else. */
  static float[] in(Tensor tensor) {
    return tensor.storage() instanceof HostStorage host ? host.array() : tensor.toArray();
  }

  /** Returns the array to write to. */
  static float[] out(Tensor tensor) {
    if (tensor.storage() instanceof HostStorage host) {
      return host.array();
    }
    throw new IllegalArgumentException(
        "an output of the vector backend must be on the host; "
            + tensor.shape()
            + " is a "
            + tensor.storage().getClass().getSimpleName()
            + ". Take it from this backend's allocate or scope");
  }

  static PackedMatrix packed(Matrix matrix) {
    if (matrix instanceof PackedMatrix packed) {
      return packed;
    }
    throw new IllegalArgumentException(
        "the matrix "
            + matrix.shape()
            + " was packed by another backend, or for another vector width; pack it with this one");
  }

  static int rows(Tensor tensor) {
    return Math.toIntExact(tensor.shape().rows());
  }

  static int elements(Tensor tensor) {
    return Math.toIntExact(tensor.elements());
  }

  /** Requires [rows, last] with all leading axes flattened. */
  static void require(String what, Tensor tensor, int rows, int last) {
    if (tensor.shape().rows() != rows || tensor.shape().last() != last) {
      throw new ShapeMismatchException(
          what + " is " + tensor.shape() + ", expected " + rows + " rows of " + last);
    }
  }

  static void requireElements(String what, Tensor tensor, int elements) {
    if (tensor.elements() != elements) {
      throw new ShapeMismatchException(
          what + " is " + tensor.shape() + ", expected " + elements + " elements");
    }
  }

  static void requireCount(String what, int[] indices, int count) {
    if (indices.length != count) {
      throw new ShapeMismatchException(
          indices.length + " " + what + " for " + count + " rows; expected one for each row");
    }
  }

  static void requireSizes(String what, Tensor tensor, int... sizes) {
    int[] found = tensor.shape().sizes();
    if (!Arrays.equals(found, sizes)) {
      throw new ShapeMismatchException(
          what + " is " + tensor.shape() + ", expected the sizes " + Arrays.toString(sizes));
    }
  }

  static void requireIndices(String what, int[] indices, int from, int to) {
    for (int r = 0; r < indices.length; r++) {
      if (indices[r] < from || indices[r] >= to) {
        throw new IllegalArgumentException(
            what + "[" + r + "] is " + indices[r] + ", expected " + from + " to " + (to - 1));
      }
    }
  }

  /** Requires every kept entry to be in a column that there is. */
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
