package dev.resid.model;

import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;

/** Next tokens as labels of a padded batch. */
final class Labels {
  private Labels() {}

  /** Returns the next token of every position, [batch, pos] row-major; −1 where there is none. */
  static int[] next(TokenBatch tokens) {
    int pos = tokens.maxLength();
    int[] labels = new int[tokens.rows() * pos];
    Arrays.fill(labels, -1);
    for (int row = 0; row < tokens.rows(); row++) {
      for (int p = 0; p + 1 < tokens.length(row); p++) {
        labels[row * pos + p] = tokens.id(row, p + 1);
      }
    }
    return labels;
  }

  /** Returns how many labels there are, at least 1 so that it can divide. */
  static int count(int[] labels) {
    return (int) Math.max(1, Arrays.stream(labels).filter(l -> l >= 0).count());
  }
}
