package org.example.heads;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;

/** The part of the positions at which the most likely next token stays the same. */
final class TopTokenKept {
  private TopTokenKept() {}

  // docs:begin
  /**
   * Returns the part, from 0 to 1.
   *
   * @param before logits [batch=1, pos, d_vocab]
   * @param after logits of the same shape
   */
  static double of(Tensor before, Tensor after) {
    int positions = before.shape().size(Axis.POS);
    int dVocab = before.shape().size(Axis.D_VOCAB);
    float[] first = before.toArray();
    float[] second = after.toArray();
    int kept = 0;
    for (int pos = 0; pos < positions; pos++) {
      if (largest(first, pos * dVocab, dVocab) == largest(second, pos * dVocab, dVocab)) {
        kept++;
      }
    }
    return (double) kept / positions;
  }

  private static int largest(float[] values, int from, int count) {
    int best = 0;
    for (int v = 1; v < count; v++) {
      if (values[from + v] > values[from + best]) {
        best = v;
      }
    }
    return best;
  }
  // docs:end
}
