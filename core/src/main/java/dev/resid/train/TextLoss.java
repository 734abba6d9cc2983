package dev.resid.train;

import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.progress.Progress;
import dev.resid.tokenizer.SpecialTokens;
import dev.resid.tokenizer.TokenBatch;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Cross-entropy of text: each document is cut into rows that begin with the end-of-text token and
 * do not overlap, so every token of the text is predicted once, from what precedes it in its row.
 *
 * @param nats sum of −ln q over all predicted tokens
 * @param predicted tokens predicted
 * @param rows rows run
 * @param utf8Bytes UTF-8 bytes of the text, 0 for token ids without text
 */
public record TextLoss(double nats, long predicted, int rows, long utf8Bytes) {
  private static final int BATCH = 16;

  /**
   * Returns the loss of documents.
   *
   * @param gpt2 a model with a tokenizer that has an end-of-text token
   * @param documents their texts
   * @param rowLength tokens a row, the leading end-of-text token included; at most n_ctx
   * @param progress told rows
   */
  public static TextLoss of(Gpt2 gpt2, List<String> documents, int rowLength, Progress progress) {
    int end = TextCorpus.requireEndOfText(gpt2.tokenizer());
    if (rowLength < 2) {
      throw new IllegalArgumentException(
          "a row of " + rowLength + " tokens predicts nothing; use at least 2");
    }
    List<int[]> rows = new ArrayList<>();
    long bytes = 0;
    for (String document : documents) {
      bytes += document.getBytes(StandardCharsets.UTF_8).length;
      int[] ids = gpt2.tokenizer().encodeToIds(document, SpecialTokens.AS_TEXT);
      for (int from = 0; from < ids.length; from += rowLength - 1) {
        int count = Math.min(rowLength - 1, ids.length - from);
        int[] row = new int[count + 1];
        row[0] = end;
        System.arraycopy(ids, from, row, 1, count);
        rows.add(row);
      }
    }
    if (rows.isEmpty()) {
      throw new IllegalArgumentException("the text is empty, so there is nothing to predict");
    }
    TextLoss loss = of(gpt2, TokenBatch.of(rows), progress);
    return new TextLoss(loss.nats, loss.predicted, loss.rows, bytes);
  }

  /**
   * Returns the loss of rows of tokens as they are.
   *
   * @param gpt2 the model
   * @param tokens rows of at most n_ctx ids
   * @param progress told rows
   * @throws IllegalArgumentException if a token or a length is out of range
   */
  public static TextLoss of(Gpt2 gpt2, TokenBatch tokens, Progress progress) {
    gpt2.requireTokens(tokens);
    double nats = 0;
    long predicted = 0;
    try (Progress.Task task = progress.begin("evaluating", "rows", 0, tokens.rows())) {
      for (int from = 0; from < tokens.rows(); from += BATCH) {
        int to = Math.min(tokens.rows(), from + BATCH);
        PositionValues losses = gpt2.crossEntropyNats(tokens.slice(from, to));
        for (int row = 0; row < losses.rows(); row++) {
          for (double value : losses.row(row)) {
            nats += value;
            predicted++;
          }
        }
        task.advanceTo(to);
      }
    }
    return new TextLoss(nats, predicted, tokens.rows(), 0);
  }

  /** Returns the mean cross-entropy, in nats a token. */
  public double natsPerToken() {
    return nats / predicted;
  }

  /** Returns the cross-entropy in bits a UTF-8 byte; NaN without text. */
  public double bitsPerByte() {
    return utf8Bytes == 0 ? Double.NaN : nats / Math.log(2) / utf8Bytes;
  }
}
