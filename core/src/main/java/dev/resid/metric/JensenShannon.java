package dev.resid.metric;

import dev.resid.tensor.ShapeMismatchException;

/**
 * JS(p, q) = ½·KL(p‖m) + ½·KL(q‖m) with m = ½·(p + q), of two next-token distributions given as
 * logits, in bits and in float64: 0 for equal distributions, 1 for distributions that share no
 * token, the same for (q, p).
 *
 * @source Lin 1991, "Divergence measures based on the Shannon entropy", definition 4.1
 */
public final class JensenShannon {
  /** What stands under the root of {@link #distance}, so that its slope at 0 stays finite. */
  public static final double FLOOR = 1e-8;

  private JensenShannon() {}

  /**
   * Returns JS(p, q) in bits, from 0 to 1; −∞ logits are impossible tokens.
   *
   * @param logitsP logits of p
   * @param logitsQ logits of q, as many
   * @throws ShapeMismatchException if the numbers of logits differ
   * @accuracy 1e-12 + 1e-12·JS against exact arithmetic on the given logits
   */
  public static double bits(float[] logitsP, float[] logitsQ) {
    if (logitsP.length != logitsQ.length) {
      throw new ShapeMismatchException(
          "p has " + logitsP.length + " logits and q has " + logitsQ.length);
    }
    double lseP = LogSoftmax.logSumExp(logitsP, 0, logitsP.length);
    double lseQ = LogSoftmax.logSumExp(logitsQ, 0, logitsQ.length);
    double sum = 0;
    for (int v = 0; v < logitsP.length; v++) {
      double p = Math.exp(logitsP[v] - lseP);
      double q = Math.exp(logitsQ[v] - lseQ);
      // ln(p/m) = −ln(½·(1 + q/p)): near p = q the difference of two logarithms would cancel.
      double lean = p + q == 0 ? 0 : (p - q) / (p + q);
      sum += p == 0 ? 0 : p * Math.log1p(lean);
      sum += q == 0 ? 0 : q * Math.log1p(-lean);
    }
    return Math.max(0, sum / 2 / Math.log(2));
  }

  /**
   * Returns √(JS(p, q) + {@value #FLOOR}) with JS in bits.
   *
   * @param logitsP logits of p
   * @param logitsQ logits of q, as many
   * @throws ShapeMismatchException if the numbers of logits differ
   * @source the published scripts of Giglemiani, Petrova et al. 2024 (arXiv 2409.15019)
   */
  public static double distance(float[] logitsP, float[] logitsQ) {
    return Math.sqrt(bits(logitsP, logitsQ) + FLOOR);
  }
}
