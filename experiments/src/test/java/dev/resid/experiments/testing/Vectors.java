package dev.resid.experiments.testing;

import dev.resid.tensor.Tensor;

/** Vectors of tensors [row, pos, width], in float64. */
public final class Vectors {
  private Vectors() {}

  /** Returns the vector at a position of a row. */
  public static double[] at(Tensor tensor, int row, int pos) {
    double[] values = new double[tensor.shape().last()];
    for (int i = 0; i < values.length; i++) {
      values[i] = tensor.get(row, pos, i);
    }
    return values;
  }
}
