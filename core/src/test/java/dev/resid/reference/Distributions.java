package dev.resid.reference;

/** Comparisons of next-token distributions, in float64, from logits. */
public final class Distributions {
  private Distributions() {}

  /** Returns ln softmax(logits). */
  public static double[] logProbabilities(double[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (double logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp(logit - max);
    }
    double[] result = new double[logits.length];
    for (int v = 0; v < logits.length; v++) {
      result[v] = logits[v] - max - Math.log(sum);
    }
    return result;
  }

  /** Returns Σ p·(ln p − ln q), p and q the softmax of the arguments. */
  public static double kl(double[] logitsOfP, double[] logitsOfQ) {
    double[] p = logProbabilities(logitsOfP);
    double[] q = logProbabilities(logitsOfQ);
    double sum = 0;
    for (int v = 0; v < p.length; v++) {
      sum += Math.exp(p[v]) * (p[v] - q[v]);
    }
    return sum;
  }

  /** Returns ½·Σ|p − q|, p and q the softmax of the arguments. */
  public static double statisticalDistance(double[] logitsOfP, double[] logitsOfQ) {
    double[] p = logProbabilities(logitsOfP);
    double[] q = logProbabilities(logitsOfQ);
    double sum = 0;
    for (int v = 0; v < p.length; v++) {
      sum += Math.abs(Math.exp(p[v]) - Math.exp(q[v]));
    }
    return sum / 2;
  }

  /** Returns −ln softmax(logits)[label]. */
  public static double crossEntropy(double[] logits, int label) {
    return -logProbabilities(logits)[label];
  }

  /** Returns ‖a − b‖₂. */
  public static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }
}
