package dev.resid.sae.io;

import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;

/** Small matrices for tests, and products of them in float64. */
final class Numbers {
  static final int ROWS = 6;
  static final int D_IN = 5;
  static final int D_SAE = 9;

  private Numbers() {}

  static float[] normal(int key, int count) {
    float[] values = new float[count];
    new CounterRandom(20).fillNormal(key, 0, values);
    return values;
  }

  /** Returns activations whose mean is not 0. */
  static Tensor activations() {
    float[] values = normal(99, ROWS * D_IN);
    for (int i = 0; i < values.length; i++) {
      values[i] += 0.5f + i % D_IN;
    }
    return Tensor.wrap(Shape.of(Axis.ROW, ROWS, Axis.D_MODEL, D_IN), values);
  }

  static double[][] rows(float[] values, int width) {
    double[][] rows = new double[values.length / width][width];
    for (int i = 0; i < values.length; i++) {
      rows[i / width][i % width] = values[i];
    }
    return rows;
  }

  /** Returns m·x of a matrix of rows. */
  static double[] times(double[][] m, double[] x) {
    double[] out = new double[m.length];
    for (int r = 0; r < m.length; r++) {
      for (int c = 0; c < x.length; c++) {
        out[r] += m[r][c] * x[c];
      }
    }
    return out;
  }

  static double[][] transposed(double[][] m) {
    double[][] out = new double[m[0].length][m.length];
    for (int r = 0; r < m.length; r++) {
      for (int c = 0; c < m[r].length; c++) {
        out[c][r] = m[r][c];
      }
    }
    return out;
  }

  static double[] plus(double[] a, float[] b, double factor) {
    double[] out = a.clone();
    for (int i = 0; i < out.length; i++) {
      out[i] += factor * b[i];
    }
    return out;
  }

  static double norm(double[] x) {
    double sum = 0;
    for (double value : x) {
      sum += value * value;
    }
    return Math.sqrt(sum);
  }

  static double[] flat(double[][] rows) {
    return java.util.Arrays.stream(rows).flatMapToDouble(java.util.Arrays::stream).toArray();
  }
}
