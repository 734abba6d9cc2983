package dev.resid.experiments.saereport;

import dev.resid.tokenizer.TokenBatch;
import java.util.Objects;

/**
 * What an SAE is judged on.
 *
 * @param tokens rows of ids
 * @param text where they come from, for the report
 * @param batchRows rows at a time, 0 for what fits; results do not depend on it
 */
public record SaeEvaluationOptions(TokenBatch tokens, String text, int batchRows) {
  /** Checks the ranges. */
  public SaeEvaluationOptions {
    Objects.requireNonNull(tokens, "tokens");
    Objects.requireNonNull(text, "text");
    if (batchRows < 0) {
      throw new IllegalArgumentException("batch is " + batchRows + ", must be at least 0");
    }
  }
}
