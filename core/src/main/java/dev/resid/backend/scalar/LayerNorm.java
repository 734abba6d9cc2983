package dev.resid.backend.scalar;

import static dev.resid.backend.scalar.Operands.input;
import static dev.resid.backend.scalar.Operands.output;
import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireLike;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Tensor;

/** Layer norm and its gradients. {@code xR} is the offset of row r of {@code C} columns. */
final class LayerNorm {
  private LayerNorm() {}

  static void scale(Tensor x, double epsilon, Tensor scale) {
    int R = rows(x);
    int C = columns(x);
    requireElements("scale", scale, R);
    float[] in = input(x);
    float[] s = output("scale", scale, x);
    for (int r = 0; r < R; r++) {
      int xR = r * C;
      double mean = mean(in, xR, C);
      double squares = 0;
      for (int c = 0; c < C; c++) {
        double centred = in[xR + c] - mean;
        squares += centred * centred;
      }
      s[r] = (float) Math.sqrt(squares / C + epsilon);
    }
  }

  static void apply(Tensor x, Tensor scale, Tensor gamma, Tensor beta, Tensor out) {
    int R = rows(x);
    int C = columns(x);
    requireElements("scale", scale, R);
    requireElements("gamma", gamma, C);
    requireElements("beta", beta, C);
    requireLike("out", out, x);
    float[] in = input(x);
    float[] s = input(scale);
    float[] g = input(gamma);
    float[] b = input(beta);
    float[] o = output("out", out, scale, gamma, beta);
    for (int r = 0; r < R; r++) {
      int xR = r * C;
      double mean = mean(in, xR, C);
      for (int c = 0; c < C; c++) {
        o[xR + c] = (float) ((in[xR + c] - mean) / s[r] * g[c] + b[c]);
      }
    }
  }

  static void applyBackwardInput(Tensor dOut, Tensor scale, Tensor gamma, Tensor dX) {
    int R = rows(dOut);
    int C = columns(dOut);
    requireElements("scale", scale, R);
    requireElements("gamma", gamma, C);
    requireLike("dX", dX, dOut);
    float[] d = input(dOut);
    float[] s = input(scale);
    float[] g = input(gamma);
    float[] dx = output("dX", dX, scale, gamma);
    for (int r = 0; r < R; r++) {
      int xR = r * C;
      double sum = 0;
      for (int c = 0; c < C; c++) {
        sum += (double) d[xR + c] * g[c] / s[r];
      }
      double mean = sum / C;
      for (int c = 0; c < C; c++) {
        dx[xR + c] = (float) ((double) d[xR + c] * g[c] / s[r] - mean);
      }
    }
  }

  static void applyBackwardScale(Tensor dOut, Tensor x, Tensor scale, Tensor gamma, Tensor dScale) {
    int R = rows(dOut);
    int C = columns(dOut);
    requireLike("x", x, dOut);
    requireElements("scale", scale, R);
    requireElements("gamma", gamma, C);
    requireElements("dScale", dScale, R);
    float[] d = input(dOut);
    float[] in = input(x);
    float[] s = input(scale);
    float[] g = input(gamma);
    float[] ds = output("dScale", dScale, dOut, x, scale, gamma);
    for (int r = 0; r < R; r++) {
      int xR = r * C;
      double mean = mean(in, xR, C);
      double sum = 0;
      for (int c = 0; c < C; c++) {
        sum += (double) d[xR + c] * g[c] * (in[xR + c] - mean);
      }
      ds[r] = (float) (-sum / ((double) s[r] * s[r]));
    }
  }

  static void applyBackwardParameters(
      Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta) {
    int R = rows(dOut);
    int C = columns(dOut);
    requireLike("x", x, dOut);
    requireElements("scale", scale, R);
    requireElements("dGamma", dGamma, C);
    requireElements("dBeta", dBeta, C);
    float[] d = input(dOut);
    float[] in = input(x);
    float[] s = input(scale);
    float[] dg = output("dGamma", dGamma, dOut, x, scale, dBeta);
    float[] db = output("dBeta", dBeta, dOut, x, scale);
    double[] gammaSum = new double[C];
    double[] betaSum = new double[C];
    for (int r = 0; r < R; r++) {
      int xR = r * C;
      double mean = mean(in, xR, C);
      for (int c = 0; c < C; c++) {
        gammaSum[c] += d[xR + c] * (in[xR + c] - mean) / s[r];
        betaSum[c] += d[xR + c];
      }
    }
    for (int c = 0; c < C; c++) {
      dg[c] = (float) (dg[c] + gammaSum[c]);
      db[c] = (float) (db[c] + betaSum[c]);
    }
  }

  static void scaleBackward(Tensor dScale, Tensor x, Tensor scale, Tensor dX) {
    int R = rows(x);
    int C = columns(x);
    requireElements("dScale", dScale, R);
    requireElements("scale", scale, R);
    requireLike("dX", dX, x);
    float[] ds = input(dScale);
    float[] in = input(x);
    float[] s = input(scale);
    float[] dx = output("dX", dX, dScale, x, scale);
    for (int r = 0; r < R; r++) {
      int xR = r * C;
      double mean = mean(in, xR, C);
      for (int c = 0; c < C; c++) {
        dx[xR + c] = (float) (dx[xR + c] + ds[r] * (in[xR + c] - mean) / ((double) C * s[r]));
      }
    }
  }

  private static double mean(float[] x, int xR, int C) {
    double sum = 0;
    for (int c = 0; c < C; c++) {
      sum += x[xR + c];
    }
    return sum / C;
  }
}
