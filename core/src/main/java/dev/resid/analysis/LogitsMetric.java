package dev.resid.analysis;

/**
 * A number of a row's prediction, of the caller's own: a KL to another prediction, a probability, a
 * rank. A logit or a difference of two is a {@link LogitReadout}, which needs no logits.
 */
@FunctionalInterface
public interface LogitsMetric {
  /**
   * Returns the number.
   *
   * @param row row of the batch
   * @param logits at the row's last position, [d_vocab]; a copy
   */
  double of(int row, float[] logits);
}
