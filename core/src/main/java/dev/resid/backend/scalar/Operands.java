package dev.resid.backend.scalar;

import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Tensor;

/** Turns operands into arrays. Host arrays are used in place. */
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
}
