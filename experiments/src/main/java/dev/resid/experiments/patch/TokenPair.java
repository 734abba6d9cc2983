package dev.resid.experiments.patch;

import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Two prompts as tokens, of one length.
 *
 * @param clean tokens of the clean prompt, one row
 * @param corrupted tokens of the corrupted prompt, one row
 * @param answer first token of the clean prompt's answer
 * @param against first token of the corrupted prompt's answer
 */
public record TokenPair(TokenBatch clean, TokenBatch corrupted, int answer, int against) {
  /**
   * Checks that positions can be compared.
   *
   * @throws IllegalArgumentException if lengths differ, prompts or answers are equal
   */
  public TokenPair {
    if (!Arrays.equals(clean.lengths(), corrupted.lengths()) || clean.rows() != 1) {
      throw new IllegalArgumentException(
          "the clean prompt has "
              + clean.tokenCount()
              + " tokens, the corrupted one "
              + corrupted.tokenCount()
              + "; patching needs equally many, so that positions stand for each other");
    }
    if (clean.equals(corrupted)) {
      throw new IllegalArgumentException("both prompts are the same tokens");
    }
    if (answer == against) {
      throw new IllegalArgumentException(
          "both answers begin with the same token, "
              + answer
              + "; choose answers that differ from the first token on");
    }
  }

  /**
   * Returns a pair as tokens. Of answers the first token counts.
   *
   * @param pair texts
   * @param tokenizer the model's
   * @param bos put before both prompts, if there is one
   * @throws IllegalArgumentException if the tokens cannot be compared; the message quotes the
   *     prompts
   */
  public static TokenPair of(PromptPair pair, ByteLevelBpe tokenizer, OptionalInt bos) {
    try {
      return new TokenPair(
          TokenBatch.of(prompt(pair.clean(), tokenizer, bos)),
          TokenBatch.of(prompt(pair.corrupted(), tokenizer, bos)),
          tokenizer.encodeToIds(pair.answer())[0],
          tokenizer.encodeToIds(pair.against())[0]);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "\"" + pair.clean() + "\" and \"" + pair.corrupted() + "\": " + e.getMessage(), e);
    }
  }

  private static int[] prompt(String text, ByteLevelBpe tokenizer, OptionalInt bos) {
    int[] ids = tokenizer.encodeToIds(text);
    if (bos.isEmpty()) {
      return ids;
    }
    int[] row = new int[ids.length + 1];
    row[0] = bos.getAsInt();
    System.arraycopy(ids, 0, row, 1, ids.length);
    return row;
  }

  /** Returns the number of tokens of each prompt. */
  public int length() {
    return clean.length(0);
  }

  /** Returns the positions at which the prompts differ. */
  public int[] differences() {
    return java.util.stream.IntStream.range(0, length())
        .filter(pos -> clean.id(0, pos) != corrupted.id(0, pos))
        .toArray();
  }
}
