package dev.resid.sae.io;

import dev.resid.tensor.Tensor;

/** Arithmetic on decoder rows, in float64. */
final class Rows {
  /** A value and an index to a new value. */
  @FunctionalInterface
  interface Change {
    double apply(double value, int index);
  }

  private Rows() {}

  /** Returns the norm of every row of a matrix [d_sae, width]; 1 for a row of zeros. */
  static double[] norms(Tensor matrix) {
    int width = matrix.shape().last();
    float[] values = matrix.toArray();
    double[] norms = new double[values.length / width];
    for (int row = 0; row < norms.length; row++) {
      double squares = 0;
      for (int i = row * width; i < (row + 1) * width; i++) {
        squares += (double) values[i] * values[i];
      }
      norms[row] = squares == 0 ? 1 : Math.sqrt(squares);
    }
    return norms;
  }

  /** Returns a matrix [d_sae, width] whose rows are divided by a number each. */
  static Tensor divided(Tensor matrix, double[] divisors) {
    int width = matrix.shape().last();
    float[] values = matrix.toArray().clone();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (values[i] / divisors[i / width]);
    }
    return Tensor.wrap(matrix.shape(), values);
  }

  /** Returns a tensor [..., d_sae] with every value changed, given its feature. */
  static Tensor eachFeature(Tensor tensor, Change change) {
    int features = tensor.shape().last();
    return each(tensor, (value, i) -> change.apply(value, i % features));
  }

  /** Returns a tensor with every value changed, given its row-major index. */
  static Tensor each(Tensor tensor, Change change) {
    float[] values = tensor.toArray().clone();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) change.apply(values[i], i);
    }
    return Tensor.wrap(tensor.shape(), values);
  }
}
