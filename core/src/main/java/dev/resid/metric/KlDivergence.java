package dev.resid.metric;

import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;

/**
 * KL(p‖q) = Σ_v p(v)·(ln p(v) − ln q(v)) of two next-token distributions given as logits, in nats,
 * in float64. By convention of this library p is the original run and q the changed one. Sweeps use
 * {@link dev.resid.model.Continuation#klNats()}, which needs no logits.
 */
public final class KlDivergence {
  private KlDivergence() {}

  /**
   * Returns KL(p‖q) of one pair of distributions, in nats; −∞ logits are impossible tokens. It is
   * infinite where q rules out a token that p allows.
   *
   * @param logitsP logits of p
   * @param logitsQ logits of q, as many
   * @throws ShapeMismatchException if the numbers of logits differ
   * @accuracy 1e-9 + 1e-12·KL against exact arithmetic on the given logits
   */
  public static double nats(float[] logitsP, float[] logitsQ) {
    if (logitsP.length != logitsQ.length) {
      throw new ShapeMismatchException(
          "p has " + logitsP.length + " logits and q has " + logitsQ.length);
    }
    double lseP = LogSoftmax.logSumExp(logitsP, 0, logitsP.length);
    double lseQ = LogSoftmax.logSumExp(logitsQ, 0, logitsQ.length);
    double sum = 0;
    for (int v = 0; v < logitsP.length; v++) {
      double lnP = logitsP[v] - lseP;
      if (lnP > Double.NEGATIVE_INFINITY) {
        sum += Math.exp(lnP) * (lnP - (logitsQ[v] - lseQ));
      }
    }
    return sum;
  }

  /**
   * Returns KL(p‖q) of every row, in nats.
   *
   * @param logitsP [.., d_vocab]
   * @param logitsQ of the same shape
   * @throws ShapeMismatchException if the shapes differ
   */
  public static double[] nats(Tensor logitsP, Tensor logitsQ) {
    if (!logitsP.shape().equals(logitsQ.shape())) {
      throw new ShapeMismatchException(
          "logits of p are " + logitsP.shape() + ", of q " + logitsQ.shape());
    }
    int width = logitsP.shape().last();
    double[] rows = new double[Math.toIntExact(logitsP.shape().rows())];
    float[] p = new float[width];
    float[] q = new float[width];
    for (int r = 0; r < rows.length; r++) {
      logitsP.storage().read((long) r * width, p, 0, width);
      logitsQ.storage().read((long) r * width, q, 0, width);
      rows[r] = nats(p, q);
    }
    return rows;
  }
}
