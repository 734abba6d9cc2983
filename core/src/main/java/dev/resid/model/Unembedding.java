package dev.resid.model;

import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;

/** From the final layer norm's output to logits and cross-entropies. */
final class Unembedding {
  private Unembedding() {}

  /**
   * Returns logits [batch, pos, d_vocab] of the final layer norm's output [batch, pos, d_model].
   */
  static Tensor logits(PackedModel model, Tensor normalized) {
    Tensor logits =
        model
            .backend()
            .allocate(
                dev.resid.tensor.Shape.of(
                    Axis.BATCH,
                    normalized.shape().size(Axis.BATCH),
                    Axis.POS,
                    normalized.shape().size(Axis.POS),
                    Axis.D_VOCAB,
                    model.config().dVocab()));
    model
        .backend()
        .linear(normalized, model.unembedding(), model.b_U(), Activation.IDENTITY, logits);
    return logits;
  }

  /**
   * Returns −ln q(next token) at every position but a row's last, which has none.
   *
   * @param normalized final layer norm's output, [batch, pos, d_model]
   */
  static PositionValues crossEntropy(PackedModel model, Tensor normalized, TokenBatch tokens) {
    int[] labels = labels(tokens, 1, 0, tokens.maxLength());
    double[] values =
        model.backend().unembedCrossEntropy(normalized, model.unembedding(), model.b_U(), labels);
    return labelled(values, tokens, 1);
  }

  /** Returns the next token of every position from {@code first} on, or −1: [n·batch, pos]. */
  static int[] labels(TokenBatch tokens, int copies, int first, int pos) {
    int[] labels = new int[tokens.rows() * copies * pos];
    Arrays.fill(labels, -1);
    for (int r = 0; r < tokens.rows() * copies; r++) {
      int row = r % tokens.rows();
      for (int p = 0; p < pos && first + p + 1 < tokens.length(row); p++) {
        labels[r * pos + p] = tokens.id(row, first + p + 1);
      }
    }
    return labels;
  }

  /** Returns cross-entropies whose rows are one shorter than the tokens: a last token has none. */
  static PositionValues labelled(double[] values, TokenBatch tokens, int copies) {
    int[] lengths = new int[tokens.rows() * copies];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = tokens.length(i % tokens.rows()) - 1;
    }
    return new PositionValues(values, lengths);
  }
}
