package dev.resid.backend.scalar;

import static dev.resid.backend.scalar.Operands.input;
import static dev.resid.backend.scalar.Operands.output;
import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Activation;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Tensor;
import java.util.Arrays;

/**
 * Matrix products. The product of two floats is exact in float64, so every sum below has only the
 * error of its additions. Columns are taken in panels that stay in the cache from row to row; the
 * order of summation of an element does not depend on them.
 */
final class Products {
  /** Columns of a panel: 768 rows of it are 768 KiB. */
  private static final int PANEL = 256;

  private Products() {}

  static void linear(Tensor x, Matrix matrix, Tensor bias, Activation activation, Tensor out) {
    ScalarMatrix w = Operands.matrix(matrix);
    int R = rows(x);
    requireRows("x", x, R, w.in);
    requireElements("bias", bias, w.out);
    requireRows("out", out, R, w.out);
    float[] in = input(x);
    float[] b = input(bias);
    float[] o = output("out", out, x, bias);
    double[] sums = new double[PANEL];
    for (int from = 0; from < w.out; from += PANEL) {
      int width = Math.min(PANEL, w.out - from);
      for (int r = 0; r < R; r++) {
        rowTimesPanel(in, r * w.in, w, from, width, sums);
        for (int j = 0; j < width; j++) {
          float sum = (float) (sums[j] + b[from + j]);
          o[r * w.out + from + j] = (float) ActivationFunctions.value(activation, sum);
        }
      }
    }
  }

  /**
   * Returns x·w + bias of some rows in float64, [row, out].
   *
   * @param firstRow first row of x
   * @param count number of rows
   */
  static double[][] logits(float[] x, int firstRow, int count, ScalarMatrix w, float[] bias) {
    double[][] logits = new double[count][w.out];
    double[] sums = new double[PANEL];
    for (int from = 0; from < w.out; from += PANEL) {
      int width = Math.min(PANEL, w.out - from);
      for (int r = 0; r < count; r++) {
        rowTimesPanel(x, (firstRow + r) * w.in, w, from, width, sums);
        for (int j = 0; j < width; j++) {
          logits[r][from + j] = sums[j] + bias[from + j];
        }
      }
    }
    return logits;
  }

  /** sums[j] = Σ_i x[i]·w[i, from + j], i ascending. */
  private static void rowTimesPanel(
      float[] x, int xR, ScalarMatrix w, int from, int width, double[] sums) {
    Arrays.fill(sums, 0, width, 0);
    for (int i = 0; i < w.in; i++) {
      double xI = x[xR + i];
      int wI = i * w.out + from;
      for (int j = 0; j < width; j++) {
        sums[j] += xI * w.values[wI + j];
      }
    }
  }

  static void linearBackwardInput(Tensor dOut, Matrix matrix, Tensor dX) {
    ScalarMatrix w = Operands.matrix(matrix);
    int R = rows(dOut);
    requireRows("dOut", dOut, R, w.out);
    requireRows("dX", dX, R, w.in);
    float[] d = input(dOut);
    float[] dx = output("dX", dX, dOut);
    for (int i = 0; i < w.in; i++) {
      for (int r = 0; r < R; r++) {
        double sum = 0;
        for (int j = 0; j < w.out; j++) {
          sum += (double) d[r * w.out + j] * w.values[i * w.out + j];
        }
        dx[r * w.in + i] = (float) sum;
      }
    }
  }

  static void addOuterProducts(Tensor a, Tensor b, Tensor sum) {
    int R = rows(a);
    int m = columns(a);
    int n = columns(b);
    requireRows("b", b, R, n);
    requireElements("sum", sum, (long) m * n);
    float[] left = input(a);
    float[] right = input(b);
    float[] total = output("sum", sum, a, b);
    double[] sums = new double[n];
    for (int i = 0; i < m; i++) {
      Arrays.fill(sums, 0);
      for (int r = 0; r < R; r++) {
        double aRI = left[r * m + i];
        for (int j = 0; j < n; j++) {
          sums[j] += aRI * right[r * n + j];
        }
      }
      for (int j = 0; j < n; j++) {
        total[i * n + j] = (float) (total[i * n + j] + sums[j]);
      }
    }
  }

  static void addColumnSums(Tensor x, Tensor sum) {
    int C = columns(x);
    requireElements("sum", sum, C);
    float[] in = input(x);
    float[] total = output("sum", sum, x);
    double[] sums = new double[C];
    for (int r = 0; r < rows(x); r++) {
      for (int c = 0; c < C; c++) {
        sums[c] += in[r * C + c];
      }
    }
    for (int c = 0; c < C; c++) {
      total[c] = (float) (total[c] + sums[c]);
    }
  }
}
