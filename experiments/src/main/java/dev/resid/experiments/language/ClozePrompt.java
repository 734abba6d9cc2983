package dev.resid.experiments.language;

import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An item as tokens.
 *
 * @param tokens the begin-of-text token and the context, one row
 * @param answer first token of a space and the answer
 * @param text the end of the context and the answer, for tables
 * @param cut tokens at the beginning of the context that were left out
 */
public record ClozePrompt(TokenBatch tokens, int answer, String text, int cut) {
  private static final int SHOWN = 60;

  /** What is done with a context that is longer than the model's. */
  public enum TooLong {
    /** It is an error. */
    REFUSE,
    /** Its first tokens are left out. */
    CUT
  }

  /**
   * Returns items as tokens: the begin-of-text token, the context, and as the answer the first
   * token of {@code " " + answer}.
   *
   * @param items texts
   * @param tokenizer the model's
   * @param bos the begin-of-text token
   * @param nCtx positions of the model
   * @param tooLong what is done with contexts that do not fit
   * @throws IllegalArgumentException if a context does not fit and that is an error
   */
  public static List<ClozePrompt> of(
      List<ClozeItem> items, ByteLevelBpe tokenizer, int bos, int nCtx, TooLong tooLong) {
    List<ClozePrompt> prompts = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      ClozeItem item = items.get(i);
      int[] ids = tokenizer.encodeToIds(item.context());
      int cut = Math.max(0, ids.length + 1 - nCtx);
      if (cut > 0 && tooLong == TooLong.REFUSE) {
        throw new IllegalArgumentException(
            "item "
                + (i + 1)
                + " has "
                + (ids.length + 1)
                + " tokens, the model's context is "
                + nCtx
                + "; --too-long cut leaves out the beginning of such contexts");
      }
      int[] row = new int[ids.length - cut + 1];
      row[0] = bos;
      System.arraycopy(ids, cut, row, 1, ids.length - cut);
      String context = item.context().replaceAll("\\s+", " ");
      String end =
          context.length() <= SHOWN ? context : "…" + context.substring(context.length() - SHOWN);
      prompts.add(
          new ClozePrompt(
              TokenBatch.of(row),
              tokenizer.encodeToIds(" " + item.answer())[0],
              end + " [" + item.answer() + "]",
              cut));
    }
    return List.copyOf(prompts);
  }

  /** Returns the number of tokens, the begin-of-text token included. */
  public int length() {
    return tokens.length(0);
  }

  /** Returns a text that is the same for the same tokens. */
  String key() {
    return Arrays.toString(tokens.row(0)) + " " + answer;
  }

  /** Returns how many tokens prompts have on average, rounded up. */
  static int meanLength(List<ClozePrompt> prompts) {
    return (int) Math.ceil(prompts.stream().mapToInt(ClozePrompt::length).average().orElseThrow());
  }
}
