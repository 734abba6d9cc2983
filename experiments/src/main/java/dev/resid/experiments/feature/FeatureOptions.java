package dev.resid.experiments.feature;

import dev.resid.tokenizer.TokenBatch;
import java.util.Objects;

/**
 * What a page is made of.
 *
 * @param index the feature
 * @param tokens rows of ids in which examples are looked for
 * @param text where they come from
 * @param examples how many examples of each kind
 * @param seed of the examples that are drawn at random
 */
public record FeatureOptions(int index, TokenBatch tokens, String text, int examples, long seed) {
  /** Checks the ranges. */
  public FeatureOptions {
    Objects.requireNonNull(tokens, "tokens");
    Objects.requireNonNull(text, "text");
    if (examples < 1) {
      throw new IllegalArgumentException("examples is " + examples + ", must be at least 1");
    }
  }
}
