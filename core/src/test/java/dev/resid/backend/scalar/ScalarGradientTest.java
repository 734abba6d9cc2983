package dev.resid.backend.scalar;

import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.util.Arrays;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/**
 * The reference's gradients against central differences of forward passes that are written here
 * once more, in float64. The scalar that is differentiated is Σ dOut·out for random dOut.
 */
class ScalarGradientTest {
  // A central difference with step 1e-4 is off by h²·f‴/6, about 1e-8 times the sizes here, which
  // are below 30; gradients are rounded to float.
  private static final double STEP = 1e-4;
  private static final Tolerance DIFFERENCES = Tolerance.within(3e-6, 1e-6);

  private static final int R = 3;
  private static final int C = 7;
  private static final double EPSILON = 0.05;

  private final Backend backend = new ScalarBackend();
  private final Cases cases = Cases.ofThisRun();

  private Tensor values(Shape shape) {
    return cases.tensor(shape, Values.ORDINARY);
  }

  private static Shape rows(int columns) {
    return Shape.of(Axis.ROW, R, Axis.D_MODEL, columns);
  }

  private void check(String what, Tensor at, ToDoubleFunction<double[]> function, Tensor gradient) {
    double[] x = doubles(at);
    double[] expected = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      double[] up = x.clone();
      double[] down = x.clone();
      up[i] += STEP;
      down[i] -= STEP;
      expected[i] = (function.applyAsDouble(up) - function.applyAsDouble(down)) / (2 * STEP);
    }
    new TensorAssert("scalar", what, cases.seed()).close(expected, gradient, DIFFERENCES);
  }

  private static double[] doubles(Tensor tensor) {
    float[] values = tensor.toArray();
    double[] wide = new double[values.length];
    Arrays.setAll(wide, i -> values[i]);
    return wide;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** The layer norm with its own scale, in float64. */
  private static double[] layerNorm(double[] x, double[] gamma, double[] beta) {
    double[] out = new double[x.length];
    for (int r = 0; r < x.length / C; r++) {
      double[] row = Arrays.copyOfRange(x, r * C, (r + 1) * C);
      double mean = Arrays.stream(row).average().orElseThrow();
      double variance = Arrays.stream(row).map(v -> (v - mean) * (v - mean)).sum() / C;
      for (int c = 0; c < C; c++) {
        out[r * C + c] = (row[c] - mean) / Math.sqrt(variance + EPSILON) * gamma[c] + beta[c];
      }
    }
    return out;
  }

  @Test
  void layerNormGradientsAreDifferences() {
    Tensor x = values(rows(C));
    Tensor gamma = values(Shape.of(Axis.D_MODEL, C));
    Tensor beta = values(Shape.of(Axis.D_MODEL, C));
    Tensor dOut = values(rows(C));
    Tensor scale = backend.allocate(rows(1));
    backend.layerNormScale(x, EPSILON, scale);
    Tensor dX = backend.allocate(rows(C));
    Tensor dScale = backend.allocate(rows(1));
    backend.layerNormApplyBackwardInput(dOut, scale, gamma, dX);
    backend.layerNormApplyBackwardScale(dOut, x, scale, gamma, dScale);
    backend.layerNormScaleBackward(dScale, x, scale, dX);
    Tensor dGamma = backend.allocate(gamma.shape());
    Tensor dBeta = backend.allocate(gamma.shape());
    backend.layerNormApplyBackwardParameters(dOut, x, scale, dGamma, dBeta);
    double[] d = doubles(dOut);
    double[] xs = doubles(x);
    double[] g = doubles(gamma);
    double[] b = doubles(beta);
    check("layer norm dX", x, v -> dot(d, layerNorm(v, g, b)), dX);
    check("layer norm dGamma", gamma, v -> dot(d, layerNorm(xs, v, b)), dGamma);
    check("layer norm dBeta", beta, v -> dot(d, layerNorm(xs, g, v)), dBeta);
  }

  @Test
  void crossEntropyGradientIsADifference() {
    Tensor logits = values(rows(C));
    int[] labels = {2, -1, 6};
    Tensor gradient = backend.allocate(logits.shape());
    backend.crossEntropyBackward(logits, labels, 0.75, gradient);
    check(
        "cross-entropy",
        logits,
        x -> {
          double nats = 0;
          for (int r = 0; r < R; r++) {
            if (labels[r] >= 0) {
              double[] row = Arrays.copyOfRange(x, r * C, (r + 1) * C);
              nats += Math.log(Arrays.stream(row).map(Math::exp).sum()) - row[labels[r]];
            }
          }
          return 0.75 * nats;
        },
        gradient);
  }

  private static final int B = 2;
  private static final int T = 3;
  private static final int S = 5;
  private static final int H = 2;
  private static final int D = 4;
  private static final AttentionSpec SPEC = new AttentionSpec(0.6, 1);

  /** Causal attention in float64; query t sees keys 0 to t + 1, of five. */
  private static double[] attention(double[] q, double[] k, double[] v) {
    double[] z = new double[q.length];
    for (int b = 0; b < B; b++) {
      for (int t = 0; t < T; t++) {
        for (int h = 0; h < H; h++) {
          double total = 0;
          for (int s = 0; s <= t + SPEC.firstQuery(); s++) {
            double score = 0;
            for (int d = 0; d < D; d++) {
              score += q[((b * T + t) * H + h) * D + d] * k[((b * S + s) * H + h) * D + d];
            }
            double weight = Math.exp(SPEC.scale() * score);
            total += weight;
            for (int d = 0; d < D; d++) {
              z[((b * T + t) * H + h) * D + d] += weight * v[((b * S + s) * H + h) * D + d];
            }
          }
          for (int d = 0; d < D; d++) {
            z[((b * T + t) * H + h) * D + d] /= total;
          }
        }
      }
    }
    return z;
  }

  private static Shape positions(int n) {
    return Shape.of(Axis.BATCH, B, Axis.POS, n, Axis.HEAD, H, Axis.D_HEAD, D);
  }

  @Test
  void attentionIsTheWeightedMean() {
    Tensor q = values(positions(T));
    Tensor k = values(positions(S));
    Tensor v = values(positions(S));
    Tensor z = backend.allocate(positions(T));
    backend.attention(q, k, v, SPEC, z);
    // Scores and weights are rounded to float: a few units each.
    new TensorAssert("scalar", "attention", cases.seed())
        .close(attention(doubles(q), doubles(k), doubles(v)), z, Tolerance.within(2e-6, 1e-6));
  }

  @Test
  void attentionGradientsAreDifferences() {
    Tensor q = values(positions(T));
    Tensor k = values(positions(S));
    Tensor v = values(positions(S));
    Tensor dZ = values(positions(T));
    Tensor dQ = backend.allocate(positions(T));
    Tensor dK = backend.allocate(positions(S));
    Tensor dV = backend.allocate(positions(S));
    backend.attentionBackward(dZ, q, k, v, SPEC, dQ, dK, dV);
    double[] d = doubles(dZ);
    double[] qs = doubles(q);
    double[] ks = doubles(k);
    double[] vs = doubles(v);
    check("attention dQ", q, x -> dot(d, attention(x, ks, vs)), dQ);
    check("attention dK", k, x -> dot(d, attention(qs, x, vs)), dK);
    check("attention dV", v, x -> dot(d, attention(qs, ks, x)), dV);
  }
}
