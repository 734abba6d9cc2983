package dev.resid.benchmarks.work;

/** KL from logits as a user writes it, in float64. */
final class Divergence {
  private Divergence() {}

  /**
   * Returns Σ p·(ln p − ln q) of one row, in nats.
   *
   * @param base logits of p, [row, d_vocab]
   * @param changed logits of q, [row, d_vocab]
   * @param row which
   * @param vocabulary d_vocab
   */
  static double klNats(float[] base, float[] changed, int row, int vocabulary) {
    int from = row * vocabulary;
    double p = logSumExp(base, from, vocabulary);
    double q = logSumExp(changed, from, vocabulary);
    double sum = 0;
    for (int v = from; v < from + vocabulary; v++) {
      double logP = base[v] - p;
      sum += Math.exp(logP) * (logP - (changed[v] - q));
    }
    return sum;
  }

  private static double logSumExp(float[] x, int from, int count) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = from; i < from + count; i++) {
      max = Math.max(max, x[i]);
    }
    double sum = 0;
    for (int i = from; i < from + count; i++) {
      sum += Math.exp(x[i] - max);
    }
    return max + Math.log(sum);
  }
}
