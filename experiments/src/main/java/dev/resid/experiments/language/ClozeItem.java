package dev.resid.experiments.language;

/**
 * A text that ends before a word, and that word.
 *
 * @param context the text, without the space before the word
 * @param answer the word, without a space
 */
public record ClozeItem(String context, String answer) {
  /** Checks that nothing is empty. */
  public ClozeItem {
    if (context.isBlank() || answer.isBlank()) {
      throw new IllegalArgumentException("an item needs a context and an answer");
    }
  }
}
