package dev.resid.backend.scalar;

import static dev.resid.backend.scalar.Operands.input;
import static dev.resid.backend.scalar.Operands.output;
import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireIndices;
import static dev.resid.tensor.OperandChecks.requireLike;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Tensor;

/**
 * Kernels that treat rows or elements one by one: embedding, sums, activations, AdamW. {@code R}
 * rows, {@code C} columns; {@code xR} is the offset of row r.
 */
final class Rows {
  private Rows() {}

  static void gatherRows(Tensor table, int[] ids, Tensor out) {
    int C = columns(table);
    requireIndices("ids", ids, rows(out), 0, rows(table));
    requireRows("out", out, ids.length, C);
    float[] o = output("out", out, table);
    for (int r = 0; r < ids.length; r++) {
      table.storage().read((long) ids[r] * C, o, r * C, C);
    }
  }

  static void gatherColumns(Matrix matrix, int[] ids, Tensor out) {
    ScalarMatrix w = Operands.matrix(matrix);
    requireIndices("ids", ids, rows(out), 0, w.out);
    requireRows("out", out, ids.length, w.in);
    float[] o = output("out", out);
    for (int r = 0; r < ids.length; r++) {
      for (int c = 0; c < w.in; c++) {
        o[r * w.in + c] = w.values[c * w.out + ids[r]];
      }
    }
  }

  static void scatterAddRows(Tensor rows, int[] ids, Tensor table) {
    int C = columns(table);
    requireIndices("ids", ids, rows(rows), 0, rows(table));
    requireRows("rows", rows, ids.length, C);
    float[] x = input(rows);
    float[] t = output("table", table, rows);
    for (int r = 0; r < ids.length; r++) {
      for (int c = 0; c < C; c++) {
        t[ids[r] * C + c] += x[r * C + c];
      }
    }
  }

  static void softmax(Tensor x, Tensor out) {
    requireLike("out", out, x);
    int C = columns(x);
    float[] in = input(x);
    float[] o = output("out", out);
    for (int r = 0; r < rows(x); r++) {
      softmaxRow(in, r * C, o, r * C, C);
    }
  }

  /** out = softmax of n values; the exponentials are summed in float64, ascending. */
  static void softmaxRow(float[] x, int xR, float[] out, int outR, int n) {
    double max = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < n; c++) {
      max = Math.max(max, x[xR + c]);
    }
    double sum = 0;
    double[] exponentials = new double[n];
    for (int c = 0; c < n; c++) {
      exponentials[c] = StrictMath.exp(x[xR + c] - max);
      sum += exponentials[c];
    }
    for (int c = 0; c < n; c++) {
      out[outR + c] = (float) (exponentials[c] / sum);
    }
  }

  static void softmaxBackward(Tensor dP, Tensor p, Tensor dX) {
    requireLike("p", p, dP);
    requireLike("dX", dX, dP);
    int C = columns(p);
    float[] dp = input(dP);
    float[] pp = input(p);
    float[] dx = output("dX", dX, p);
    for (int r = 0; r < rows(p); r++) {
      double dot = 0;
      for (int i = r * C; i < (r + 1) * C; i++) {
        dot += (double) pp[i] * dp[i];
      }
      for (int i = r * C; i < (r + 1) * C; i++) {
        dx[i] = (float) (pp[i] * (dp[i] - dot));
      }
    }
  }

  static void activate(Tensor x, Activation activation, Tensor out) {
    requireLike("out", out, x);
    float[] in = input(x);
    float[] o = output("out", out);
    for (int i = 0; i < (int) x.elements(); i++) {
      o[i] = (float) ActivationFunctions.value(activation, in[i]);
    }
  }

  static void activateBackward(Tensor dOut, Tensor x, Activation activation, Tensor dX) {
    requireLike("x", x, dOut);
    requireLike("dX", dX, dOut);
    float[] d = input(dOut);
    float[] in = input(x);
    float[] dx = output("dX", dX, x);
    for (int i = 0; i < (int) x.elements(); i++) {
      dx[i] = (float) (d[i] * ActivationFunctions.derivative(activation, in[i]));
    }
  }

  static void add(Tensor a, Tensor b, Tensor out) {
    requireLike("b", b, a);
    requireLike("out", out, a);
    float[] left = input(a);
    float[] right = input(b);
    float[] o = output("out", out);
    for (int i = 0; i < (int) a.elements(); i++) {
      o[i] = left[i] + right[i];
    }
  }

  static void addScaled(Tensor a, double factor, Tensor b, Tensor out) {
    requireLike("b", b, a);
    requireLike("out", out, a);
    float[] left = input(a);
    float[] right = input(b);
    float[] o = output("out", out);
    float f = (float) factor;
    for (int i = 0; i < (int) a.elements(); i++) {
      o[i] = Math.fma(f, right[i], left[i]);
    }
  }

  static void adamW(
      AdamStep step, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
    int n = Math.toIntExact(parameter.elements());
    requireElements("gradient", gradient, n);
    requireElements("moment1", moment1, n);
    requireElements("moment2", moment2, n);
    float[] p = output("parameter", parameter, gradient, moment1, moment2);
    float[] g = input(gradient);
    float[] m = output("moment1", moment1, gradient, moment2);
    float[] v = output("moment2", moment2, gradient);
    double correction1 = 1 - StrictMath.pow(step.beta1(), step.step());
    double correction2 = 1 - StrictMath.pow(step.beta2(), step.step());
    double keep = 1 - step.learningRate() * step.weightDecay();
    for (int i = 0; i < n; i++) {
      double gradientI = g[i] * step.gradientScale();
      double m1 = step.beta1() * m[i] + (1 - step.beta1()) * gradientI;
      double m2 = step.beta2() * v[i] + (1 - step.beta2()) * gradientI * gradientI;
      double direction = m1 / correction1 / (Math.sqrt(m2 / correction2) + step.epsilon());
      m[i] = (float) m1;
      v[i] = (float) m2;
      p[i] = (float) (p[i] * keep - step.learningRate() * direction);
    }
  }
}
