package dev.resid.experiments.language;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;

/**
 * What is measured.
 *
 * @param tokens rows of one length, at least 3
 * @param saes what activations are replaced by, one at a time; at least one
 * @param data what the rows are called in records
 * @param seed of the resamples
 */
public record ContextOptions(TokenBatch tokens, List<NamedSae> saes, String data, long seed) {
  /** Checks that positions of different rows stand for each other. */
  public ContextOptions {
    saes = List.copyOf(saes);
    if (saes.isEmpty()) {
      throw new IllegalArgumentException(
          "this measures SAEs by position and there is none; name one with --sae");
    }
    if (tokens.isRagged() || tokens.maxLength() < 3) {
      throw new IllegalArgumentException(
          "rows need one length of at least 3 tokens, so that every position has every row");
    }
  }
}
