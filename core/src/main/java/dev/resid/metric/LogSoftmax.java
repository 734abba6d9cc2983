package dev.resid.metric;

import dev.resid.tensor.Tensor;

/** ln softmax(x)[v] = x[v] − ln Σ exp(x), in float64. */
public final class LogSoftmax {
  private LogSoftmax() {}

  /**
   * Returns the log-probabilities of every row, in nats.
   *
   * @param logits [.., d_vocab]
   * @return one array a row
   */
  public static double[][] rows(Tensor logits) {
    int width = logits.shape().last();
    double[][] rows = new double[Math.toIntExact(logits.shape().rows())][width];
    float[] row = new float[width];
    for (int r = 0; r < rows.length; r++) {
      logits.storage().read((long) r * width, row, 0, width);
      double lse = logSumExp(row, 0, width);
      for (int v = 0; v < width; v++) {
        rows[r][v] = row[v] - lse;
      }
    }
    return rows;
  }

  /** Returns ln Σ exp(x[i]) over a range; the largest is subtracted first. */
  static double logSumExp(float[] x, int from, int to) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = from; i < to; i++) {
      max = Math.max(max, x[i]);
    }
    if (Double.isInfinite(max)) {
      return max;
    }
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += Math.exp(x[i] - max);
    }
    return max + Math.log(sum);
  }
}
