package dev.resid.backend.vector;

import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Tensor;

/** Finds the arrays of operands. */
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
}
