package dev.resid.backend.scalar;

import static dev.resid.backend.scalar.Operands.input;
import static dev.resid.backend.scalar.Operands.output;
import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Matrix;
import dev.resid.tensor.OperandChecks;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import java.util.Arrays;

/** Products of which few entries are kept, and products of such rows: dense for a few rows each. */
final class SparseProducts {
  /** Rows whose products are held at a time. */
  private static final int BLOCK = 32;

  private SparseProducts() {}

  static SparseRows linearAbove(Tensor x, Matrix matrix, Tensor bias, Tensor threshold) {
    ScalarMatrix w = operands(x, matrix, bias);
    requireElements("threshold", threshold, w.out);
    float[] limits = input(threshold);
    long[] starts = new long[rows(x) + 1];
    int[] indices = new int[64];
    float[] values = new float[64];
    int n = 0;
    for (int first = 0; first < rows(x); first += BLOCK) {
      int count = Math.min(BLOCK, rows(x) - first);
      double[][] y = Products.logits(input(x), first, count, w, input(bias));
      for (int r = 0; r < count; r++) {
        if (indices.length - n < w.out) {
          int length = Math.addExact(Math.multiplyExact(2, n), w.out);
          indices = Arrays.copyOf(indices, length);
          values = Arrays.copyOf(values, length);
        }
        for (int j = 0; j < w.out; j++) {
          float value = (float) y[r][j];
          if (value > limits[j] || Float.isNaN(value)) {
            indices[n] = j;
            values[n++] = value;
          }
        }
        starts[first + r + 1] = n;
      }
    }
    return new SparseRows(w.out, starts, Arrays.copyOf(indices, n), Arrays.copyOf(values, n));
  }

  static SparseRows linearTopK(Tensor x, Matrix matrix, Tensor bias, Tensor scale, int k) {
    ScalarMatrix w = operands(x, matrix, bias);
    requireElements("scale", scale, w.out);
    if (k < 0 || k > w.out) {
      throw new IllegalArgumentException(
          "k is " + k + ", expected 0 to " + w.out + ", the columns of w");
    }
    float[] factors = input(scale);
    int R = rows(x);
    long[] starts = new long[R + 1];
    Arrays.setAll(starts, r -> (long) r * k);
    int[] indices = new int[Math.multiplyExact(R, k)];
    float[] values = new float[indices.length];
    float[] y = new float[w.out];
    for (int r = 0; r < R; r++) {
      double[] row = Products.logits(input(x), r, 1, w, input(bias))[0];
      for (int j = 0; j < w.out; j++) {
        y[j] = (float) row[j] * factors[j] + 0f; // adding 0 makes −0 equal to 0
      }
      TopK top = Reductions.topK(Tensor.of(bias.shape(), y), k);
      int[] ascending = top.indices().clone();
      Arrays.sort(ascending);
      for (int i = 0; i < k; i++) {
        indices[r * k + i] = ascending[i];
        values[r * k + i] = y[ascending[i]];
      }
    }
    return new SparseRows(w.out, starts, indices, values);
  }

  private static ScalarMatrix operands(Tensor x, Matrix matrix, Tensor bias) {
    ScalarMatrix w = Operands.matrix(matrix);
    requireRows("x", x, rows(x), w.in);
    requireElements("bias", bias, w.out);
    return w;
  }

  static void sparseLinear(SparseRows x, Tensor w, Tensor bias, Tensor out) {
    int C = columns(w);
    requireRows("w", w, x.columns(), C);
    requireElements("bias", bias, C);
    requireRows("out", out, x.rows(), C);
    OperandChecks.requireColumns(x);
    float[] weights = input(w);
    float[] b = input(bias);
    float[] o = output("out", out, w, bias);
    double[] sums = new double[C];
    for (int r = 0; r < x.rows(); r++) {
      Arrays.fill(sums, 0);
      for (int at = x.start(r); at < x.end(r); at++) {
        double value = x.values()[at];
        int wJ = x.indices()[at] * C;
        for (int c = 0; c < C; c++) {
          sums[c] += value * weights[wJ + c];
        }
      }
      for (int c = 0; c < C; c++) {
        o[r * C + c] = (float) (sums[c] + b[c]);
      }
    }
  }
}
