package dev.resid.backend.scalar;

import static dev.resid.backend.scalar.Operands.input;
import static dev.resid.backend.scalar.Operands.output;
import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireIndices;
import static dev.resid.tensor.OperandChecks.requireLike;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Matrix;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import java.util.Arrays;

/**
 * Reductions to one float64 number a row. Those through the unembedding keep their logits in
 * float64 and never round them to float.
 */
final class Reductions {
  /** Rows whose logits are held at the same time. */
  private static final int ROWS = 8;

  private Reductions() {}

  static double[] crossEntropy(Tensor logits, int[] labels) {
    int R = rows(logits);
    int V = columns(logits);
    requireIndices("labels", labels, R, -1, V);
    float[] x = input(logits);
    double[] nats = new double[R];
    for (int r = 0; r < R; r++) {
      if (labels[r] >= 0) {
        double[] row = toDoubles(x, r * V, V);
        nats[r] = logSumExp(row) - row[labels[r]];
      }
    }
    return nats;
  }

  static void crossEntropyBackward(Tensor logits, int[] labels, double weight, Tensor dLogits) {
    int R = rows(logits);
    int V = columns(logits);
    requireIndices("labels", labels, R, -1, V);
    requireLike("dLogits", dLogits, logits);
    float[] x = input(logits);
    float[] dx = output("dLogits", dLogits);
    for (int r = 0; r < R; r++) {
      if (labels[r] < 0) {
        Arrays.fill(dx, r * V, (r + 1) * V, 0);
        continue;
      }
      double[] row = toDoubles(x, r * V, V);
      double logSum = logSumExp(row);
      for (int v = 0; v < V; v++) {
        double target = v == labels[r] ? 1 : 0;
        dx[r * V + v] = (float) (weight * (StrictMath.exp(row[v] - logSum) - target));
      }
    }
  }

  static double[] unembedCrossEntropy(Tensor x, Matrix matrix, Tensor bias, int[] labels) {
    ScalarMatrix w = Operands.matrix(matrix);
    int R = rows(x);
    requireIndices("labels", labels, R, -1, w.out);
    return unembedByRow(
        x, w, bias, (r, logits) -> labels[r] < 0 ? 0 : logSumExp(logits) - logits[labels[r]]);
  }

  static double[] unembedLogSumExp(Tensor x, Matrix matrix, Tensor bias) {
    return unembedByRow(x, Operands.matrix(matrix), bias, (r, logits) -> logSumExp(logits));
  }

  /** What becomes of the logits of one row. */
  private interface OfRow {
    double apply(int r, double[] logits);
  }

  private static double[] unembedByRow(Tensor x, ScalarMatrix w, Tensor bias, OfRow ofRow) {
    int R = rows(x);
    requireRows("x", x, R, w.in);
    requireElements("bias", bias, w.out);
    float[] in = input(x);
    float[] b = input(bias);
    double[] result = new double[R];
    for (int from = 0; from < R; from += ROWS) {
      double[][] logits = Products.logits(in, from, Math.min(ROWS, R - from), w, b);
      for (int r = 0; r < logits.length; r++) {
        result[from + r] = ofRow.apply(from + r, logits[r]);
      }
    }
    return result;
  }

  static double[] unembedKl(Tensor base, Tensor perturbed, Matrix matrix, Tensor bias) {
    ScalarMatrix w = Operands.matrix(matrix);
    int R = rows(base);
    int changed = rows(perturbed);
    requireRows("base", base, R, w.in);
    requireRows("perturbed", perturbed, changed, w.in);
    requireElements("bias", bias, w.out);
    if (R == 0 ? changed != 0 : changed % R != 0) {
      throw new ShapeMismatchException(
          "perturbed is "
              + perturbed.shape()
              + ", expected a multiple of the "
              + R
              + " rows of base");
    }
    float[] p = input(base);
    float[] q = input(perturbed);
    float[] b = input(bias);
    double[] nats = new double[changed];
    for (int from = 0; from < R; from += ROWS) {
      int count = Math.min(ROWS, R - from);
      double[][] pLogits = Products.logits(p, from, count, w, b);
      for (int run = 0; run < changed; run += R) {
        double[][] qLogits = Products.logits(q, run + from, count, w, b);
        for (int r = 0; r < count; r++) {
          nats[run + from + r] = kl(pLogits[r], qLogits[r]);
        }
      }
    }
    return nats;
  }

  /** Σ_v p·(ln p − ln q); a token of probability 0 under p adds nothing. */
  private static double kl(double[] pLogits, double[] qLogits) {
    double pLogSum = logSumExp(pLogits);
    double qLogSum = logSumExp(qLogits);
    double sum = 0;
    for (int v = 0; v < pLogits.length; v++) {
      double lnP = pLogits[v] - pLogSum;
      double p = StrictMath.exp(lnP);
      if (p != 0) {
        sum += p * (lnP - (qLogits[v] - qLogSum));
      }
    }
    return sum;
  }

  /** Returns max + ln Σ exp(x − max). */
  private static double logSumExp(double[] x) {
    double max = Double.NEGATIVE_INFINITY;
    for (double value : x) {
      max = Math.max(max, value);
    }
    double sum = 0;
    for (double value : x) {
      sum += StrictMath.exp(value - max);
    }
    return max + StrictMath.log(sum);
  }

  static double[] l2Distance(Tensor a, Tensor b) {
    requireLike("b", b, a);
    int R = rows(a);
    int C = columns(a);
    float[] left = input(a);
    float[] right = input(b);
    double[] distance = new double[R];
    for (int r = 0; r < R; r++) {
      double sum = 0;
      for (int i = r * C; i < (r + 1) * C; i++) {
        double difference = (double) left[i] - right[i];
        sum += difference * difference;
      }
      distance[r] = Math.sqrt(sum);
    }
    return distance;
  }

  static double sumOfSquares(Tensor x) {
    float[] in = input(x);
    double sum = 0;
    for (int i = 0; i < (int) x.elements(); i++) {
      sum += (double) in[i] * in[i];
    }
    return sum;
  }

  static TopK topK(Tensor x, int k) {
    int R = rows(x);
    int C = columns(x);
    if (k < 0 || k > C) {
      throw new IllegalArgumentException("k is " + k + ", expected 0 to " + C + ", the row's size");
    }
    float[] in = input(x);
    int[] indices = new int[R * k];
    float[] values = new float[R * k];
    for (int r = 0; r < R; r++) {
      int found = 0;
      for (int c = 0; c < C && k > 0; c++) {
        float candidate = in[r * C + c];
        if (found == k && !larger(candidate, values[r * k + k - 1])) {
          continue;
        }
        int place = r * k + (found < k ? found++ : k - 1);
        while (place > r * k && larger(candidate, values[place - 1])) {
          values[place] = values[place - 1];
          indices[place] = indices[place - 1];
          place--;
        }
        values[place] = candidate;
        indices[place] = c;
      }
    }
    return new TopK(k, indices, values);
  }

  /** Returns whether a comes before b whatever their indices; NaN is smaller than everything. */
  private static boolean larger(float a, float b) {
    return a > b || (Float.isNaN(b) && !Float.isNaN(a));
  }

  private static double[] toDoubles(float[] x, int from, int length) {
    double[] row = new double[length];
    for (int i = 0; i < length; i++) {
      row[i] = x[from + i];
    }
    return row;
  }
}
