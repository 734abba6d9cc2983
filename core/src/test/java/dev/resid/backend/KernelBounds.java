package dev.resid.backend;

import static dev.resid.testing.Tolerance.U;
import static dev.resid.testing.Tolerance.UNDERFLOW;

import dev.resid.tensor.Activation;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Tolerance;

/**
 * Error bounds of the kernels that are not plain sums of products, for an implementation that
 * computes in float, in any order of summation. First-order analysis in u = 2⁻²⁴; {@code C} columns
 * of a row, {@code V} of a row of logits.
 */
final class KernelBounds {
  private KernelBounds() {}

  /**
   * The mean of a row is off by δ = (C+1)·u·mean|x|. Σ(x−mean)² then grows by C·δ², the first-order
   * term being Σ(x−mean) = 0, and is rounded with relative error (C+4)·u, half of which remains
   * after the root.
   */
  static Tolerance layerNormScale(Tensor x) {
    int C = x.shape().last();
    float[] values = x.toArray();
    return (r, scale) -> {
      double delta = meanError(values, r, C);
      double relative = ((C + 4) / 2.0 + 2) * U;
      return relative * Math.abs(scale) + delta * delta / Math.max(scale, UNDERFLOW) + UNDERFLOW;
    };
  }

  /** The mean is off by δ; four operations follow. */
  static Tolerance layerNormApply(Tensor x, Tensor scale, Tensor gamma, Tensor beta) {
    int C = x.shape().last();
    float[] values = x.toArray();
    float[] s = scale.toArray();
    float[] g = gamma.toArray();
    float[] b = beta.toArray();
    return (i, out) -> {
      int r = i / C;
      double factor = Math.abs(g[i % C]) / s[r];
      double centred = Math.abs(values[i]) + meanMagnitude(values, r, C);
      return factor * meanError(values, r, C)
          + 5 * U * (factor * centred + Math.abs(b[i % C]))
          + UNDERFLOW * (1 + factor);
    };
  }

  private static double meanError(float[] x, int r, int C) {
    return (C + 1) * U * meanMagnitude(x, r, C) + UNDERFLOW;
  }

  static double meanMagnitude(float[] x, int r, int C) {
    double sum = 0;
    for (int c = 0; c < C; c++) {
      sum += Math.abs(x[r * C + c]);
    }
    return sum / C;
  }

  /**
   * The argument x − max has relative error u, hence the exponential (|x−max| + 4)·u with an exp of
   * two units in the last place. The sum has the mean of those errors, at most (ln C + 4)·u because
   * Σ p·(max − x) ≤ ln C; a division follows. Exponentials may underflow.
   */
  static Tolerance softmax(Tensor x) {
    int C = x.shape().last();
    float[] values = x.toArray();
    return (i, p) -> {
      double max = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < C; c++) {
        max = Math.max(max, values[i / C * C + c]);
      }
      double distance = Math.min(max - values[i], 200);
      return U * p * (distance + Math.log(C) + 12) + UNDERFLOW;
    };
  }

  /** p·(dP − Σ p·dP): a sum of C products, a difference and a product. */
  static Tolerance softmaxBackward(Tensor dP, Tensor p) {
    int C = p.shape().last();
    float[] d = dP.toArray();
    float[] probabilities = p.toArray();
    return (i, dX) -> {
      double sum = 0;
      for (int j = i / C * C; j < i / C * C + C; j++) {
        sum += Math.abs((double) probabilities[j] * d[j]);
      }
      double pI = Math.abs(probabilities[i]);
      return pI * U * ((C + 4) * sum + 4 * Math.abs(d[i])) + UNDERFLOW * (1 + pI);
    };
  }

  /**
   * ½·x·(1 + tanh u) in float: u has relative error 4u, which moves tanh u by less than 2u because
   * y/cosh²y ≤ 0.45, a tanh of two units in the last place adds 2u, the sum u: 5u·|x|/2, and the
   * products a few units of f. The other functions need no more. Beyond |x| = 32 all of them are x,
   * ±1 or 0 in float.
   */
  static Tolerance activation(Tensor x) {
    float[] values = x.toArray();
    return (i, f) -> 8 * U * Math.min(Math.abs(values[i]), 32) + 4 * U * Math.abs(f) + UNDERFLOW;
  }

  /**
   * As {@link #activation}: tanh u is off by 4u, so 1 − tanh²u by 8u, which is multiplied by ½·x·u′
   * = 0.4·x·(1 + 0.134·x²) until tanh u is 1 in float, before |x| = 6; the sum of the other terms
   * is below 16u.
   */
  static Tolerance activationBackward(Tensor dOut, Tensor x, Activation activation) {
    float[] values = x.toArray();
    float[] d = dOut.toArray();
    return (i, dX) -> {
      double size = Math.min(Math.abs(values[i]), 6);
      double factor = activation == Activation.IDENTITY || activation == Activation.RELU ? 2 : 16;
      double slope = factor == 2 ? 0 : 8 * size * (1 + 0.134 * size * size);
      return Math.abs(d[i]) * U * (factor + slope) + UNDERFLOW * (1 + Math.abs(d[i]));
    };
  }

  /**
   * ln Σ exp(x − max) from exponentials of relative error (|x−max| + 4)·u: (ln V + 4)·u, everything
   * else in float64.
   *
   * @param largest magnitude of the largest logit
   */
  static double logSumExp(int V, double largest) {
    return U * (Math.log(V) + 16) + 0x1p-50 * largest;
  }

  /** The same for the cross-entropy of rows of logits. */
  static Tolerance crossEntropy(Tensor logits) {
    float[] x = logits.toArray();
    int V = logits.shape().last();
    double largest = 0;
    for (float value : x) {
      largest = Float.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest;
    }
    return Tolerance.within(logSumExp(V, largest), 0);
  }
}
