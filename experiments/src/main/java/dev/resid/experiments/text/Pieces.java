package dev.resid.experiments.text;

import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.SpecialTokens;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Cuts documents into short prompts of one length, one after the other and without a begin-of-text
 * token; what is left of a document at its end is left out. No prompt reaches over the end of a
 * document.
 */
public final class Pieces {
  private Pieces() {}

  /**
   * Returns the pieces of all documents, or the first ones, [row, pos].
   *
   * @param documents read until there are enough pieces
   * @param tokenizer {@code <|endoftext|>} inside a document becomes that token
   * @param length tokens of a piece, at least 1
   * @param most at most so many pieces, at least 1
   * @throws IOException if the text cannot be read
   * @throws IllegalArgumentException if no document is as long as one piece
   */
  public static TokenBatch cut(Documents documents, ByteLevelBpe tokenizer, int length, int most)
      throws IOException {
    if (length < 1 || most < 1) {
      throw new IllegalArgumentException(
          most + " pieces of " + length + " tokens; both numbers are at least 1");
    }
    List<int[]> pieces = new ArrayList<>();
    Optional<String> text = documents.next();
    while (text.isPresent() && pieces.size() < most) {
      int[] ids = tokenizer.encodeToIds(text.get(), SpecialTokens.ALLOW);
      for (int from = 0; from + length <= ids.length && pieces.size() < most; from += length) {
        pieces.add(Arrays.copyOfRange(ids, from, from + length));
      }
      text = documents.next();
    }
    if (pieces.isEmpty()) {
      throw new IllegalArgumentException(
          documents.name() + " has no document of " + length + " tokens; use more text");
    }
    return TokenBatch.of(pieces);
  }
}
