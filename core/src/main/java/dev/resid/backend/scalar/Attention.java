package dev.resid.backend.scalar;

import static dev.resid.backend.scalar.Operands.input;
import static dev.resid.backend.scalar.Operands.output;
import static dev.resid.tensor.OperandChecks.requireSizes;

import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.util.Arrays;

/**
 * Causal attention and its gradients. {@code B} batch, {@code T} queries, {@code S} keys, {@code H}
 * heads, {@code D} d_head. Queries, keys and values lie as [B, position, H, D], scores and patterns
 * as [B, H, T, S].
 */
final class Attention {
  private Attention() {}

  /** The five sizes; query rows and pattern rows are found by them. */
  private record Sizes(int B, int T, int S, int H, int D) {
    static Sizes of(Tensor queries, Tensor keys) {
      int[] q = queries.shape().sizes();
      int[] k = keys.shape().sizes();
      if (q.length != 4 || k.length != 4) {
        throw new ShapeMismatchException(
            "expected [batch, pos, head, d_head] twice, found "
                + queries.shape()
                + " and "
                + keys.shape());
      }
      Sizes sizes = new Sizes(q[0], q[1], k[1], q[2], q[3]);
      sizes.requireKeys("k or v", keys);
      return sizes;
    }

    void requireQueries(String operand, Tensor tensor) {
      requireSizes(operand, tensor, B, T, H, D);
    }

    void requireKeys(String operand, Tensor tensor) {
      requireSizes(operand, tensor, B, S, H, D);
    }

    void requirePattern(String operand, Tensor tensor) {
      requireSizes(operand, tensor, B, H, T, S);
    }

    int query(int b, int t, int h) {
      return ((b * T + t) * H + h) * D;
    }

    int key(int b, int s, int h) {
      return ((b * S + s) * H + h) * D;
    }

    int pattern(int b, int h, int t) {
      return ((b * H + h) * T + t) * S;
    }

    /** Returns how many keys query t sees. */
    int visible(AttentionSpec spec, int t) {
      return (int) Math.min(S, (long) spec.firstQuery() + t + 1);
    }

    Shape patternShape() {
      return Shape.of(Axis.BATCH, B, Axis.HEAD, H, Axis.POS, T, Axis.KEY_POS, S);
    }
  }

  static void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
    Sizes n = Sizes.of(q, k);
    n.requireKeys("v", v);
    n.requireQueries("z", z);
    float[] qs = input(q);
    float[] ks = input(k);
    float[] vs = input(v);
    float[] zs = output("z", z, q, k, v);
    float[] row = new float[n.S];
    for (int b = 0; b < n.B; b++) {
      for (int h = 0; h < n.H; h++) {
        for (int t = 0; t < n.T; t++) {
          scoresRow(n, b, h, t, qs, ks, spec, row, 0);
          Rows.softmaxRow(row, 0, row, 0, n.S);
          mixRow(n, b, h, t, row, 0, vs, zs);
        }
      }
    }
  }

  static void scores(Tensor q, Tensor k, AttentionSpec spec, Tensor scores) {
    Sizes n = Sizes.of(q, k);
    n.requirePattern("scores", scores);
    float[] qs = input(q);
    float[] ks = input(k);
    float[] o = output("scores", scores, q, k);
    for (int b = 0; b < n.B; b++) {
      for (int h = 0; h < n.H; h++) {
        for (int t = 0; t < n.T; t++) {
          scoresRow(n, b, h, t, qs, ks, spec, o, n.pattern(b, h, t));
        }
      }
    }
  }

  static void mix(Tensor pattern, Tensor v, Tensor z) {
    Sizes n = Sizes.of(z, v);
    n.requirePattern("pattern", pattern);
    float[] p = input(pattern);
    float[] vs = input(v);
    float[] zs = output("z", z, pattern, v);
    for (int b = 0; b < n.B; b++) {
      for (int h = 0; h < n.H; h++) {
        for (int t = 0; t < n.T; t++) {
          mixRow(n, b, h, t, p, n.pattern(b, h, t), vs, zs);
        }
      }
    }
  }

  private static void scoresRow(
      Sizes n, int b, int h, int t, float[] q, float[] k, AttentionSpec spec, float[] out, int at) {
    int visible = n.visible(spec, t);
    int qBTH = n.query(b, t, h);
    for (int s = 0; s < visible; s++) {
      out[at + s] = (float) (spec.scale() * dot(q, qBTH, k, n.key(b, s, h), n.D));
    }
    Arrays.fill(out, at + visible, at + n.S, Float.NEGATIVE_INFINITY);
  }

  /** A weight of 0 is left out, so that a masked key cannot reach a query by 0·∞. */
  private static void mixRow(
      Sizes n, int b, int h, int t, float[] pattern, int pBHT, float[] v, float[] z) {
    double[] sums = new double[n.D];
    for (int s = 0; s < n.S; s++) {
      double weight = pattern[pBHT + s];
      if (weight != 0) {
        int vBSH = n.key(b, s, h);
        for (int d = 0; d < n.D; d++) {
          sums[d] += weight * v[vBSH + d];
        }
      }
    }
    int zBTH = n.query(b, t, h);
    for (int d = 0; d < n.D; d++) {
      z[zBTH + d] = (float) sums[d];
    }
  }

  static void attentionBackward(
      Tensor dZ,
      Tensor q,
      Tensor k,
      Tensor v,
      AttentionSpec spec,
      Tensor dQ,
      Tensor dK,
      Tensor dV) {
    Sizes n = Sizes.of(q, k);
    Tensor pattern = Tensor.zeros(n.patternShape());
    Tensor gradient = Tensor.zeros(n.patternShape());
    scores(q, k, spec, pattern);
    Rows.softmax(pattern, pattern);
    mixBackward(dZ, pattern, v, gradient, dV);
    Rows.softmaxBackward(gradient, pattern, gradient);
    scoresBackward(gradient, q, k, spec, dQ, dK);
  }

  static void mixBackward(Tensor dZ, Tensor pattern, Tensor v, Tensor dPattern, Tensor dV) {
    Sizes n = Sizes.of(dZ, v);
    n.requirePattern("pattern", pattern);
    n.requirePattern("dPattern", dPattern);
    n.requireKeys("dV", dV);
    float[] dz = input(dZ);
    float[] p = input(pattern);
    float[] vs = input(v);
    float[] dp = output("dPattern", dPattern, dZ, pattern, v, dV);
    float[] dv = output("dV", dV, dZ, pattern, v);
    for (int b = 0; b < n.B; b++) {
      for (int h = 0; h < n.H; h++) {
        double[] sums = new double[n.S * n.D];
        for (int t = 0; t < n.T; t++) {
          int zBTH = n.query(b, t, h);
          int pBHT = n.pattern(b, h, t);
          for (int s = 0; s < n.S; s++) {
            dp[pBHT + s] = (float) dot(dz, zBTH, vs, n.key(b, s, h), n.D);
            addTo(sums, s * n.D, p[pBHT + s], dz, zBTH, n.D);
          }
        }
        storeKeys(n, b, h, sums, 1, dv);
      }
    }
  }

  static void scoresBackward(
      Tensor dScores, Tensor q, Tensor k, AttentionSpec spec, Tensor dQ, Tensor dK) {
    Sizes n = Sizes.of(q, k);
    n.requirePattern("dScores", dScores);
    n.requireQueries("dQ", dQ);
    n.requireKeys("dK", dK);
    float[] ds = input(dScores);
    float[] qs = input(q);
    float[] ks = input(k);
    float[] dq = output("dQ", dQ, dScores, q, k, dK);
    float[] dk = output("dK", dK, dScores, q, k);
    for (int b = 0; b < n.B; b++) {
      for (int h = 0; h < n.H; h++) {
        double[] keySums = new double[n.S * n.D];
        for (int t = 0; t < n.T; t++) {
          int qBTH = n.query(b, t, h);
          int sBHT = n.pattern(b, h, t);
          double[] querySums = new double[n.D];
          for (int s = 0; s < n.visible(spec, t); s++) {
            addTo(querySums, 0, ds[sBHT + s], ks, n.key(b, s, h), n.D);
            addTo(keySums, s * n.D, ds[sBHT + s], qs, qBTH, n.D);
          }
          for (int d = 0; d < n.D; d++) {
            dq[qBTH + d] = (float) (spec.scale() * querySums[d]);
          }
        }
        storeKeys(n, b, h, keySums, spec.scale(), dk);
      }
    }
  }

  /** out[b,s,h,d] = factor·sums[s,d]. */
  private static void storeKeys(Sizes n, int b, int h, double[] sums, double factor, float[] out) {
    for (int s = 0; s < n.S; s++) {
      int outBSH = n.key(b, s, h);
      for (int d = 0; d < n.D; d++) {
        out[outBSH + d] = (float) (factor * sums[s * n.D + d]);
      }
    }
  }

  private static void addTo(double[] sums, int at, double factor, float[] x, int xAt, int n) {
    for (int d = 0; d < n; d++) {
      sums[at + d] += factor * x[xAt + d];
    }
  }

  private static double dot(float[] a, int aAt, float[] b, int bAt, int n) {
    double sum = 0;
    for (int d = 0; d < n; d++) {
      sum += (double) a[aAt + d] * b[bAt + d];
    }
    return sum;
  }
}
