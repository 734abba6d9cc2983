package dev.resid.experiments.language;

import dev.resid.experiments.direction.NamedSae;
import java.util.List;

/**
 * What is measured.
 *
 * @param task which test
 * @param prompts at least one
 * @param saes what activations are replaced by, one at a time; may be empty
 * @param data what the prompts are called in records
 * @param seed of the resamples
 */
public record ClozeOptions(
    ClozeTask task, List<ClozePrompt> prompts, List<NamedSae> saes, String data, long seed) {
  /** Copies the lists and checks that there is a prompt. */
  public ClozeOptions {
    prompts = List.copyOf(prompts);
    saes = List.copyOf(saes);
    if (prompts.isEmpty()) {
      throw new IllegalArgumentException("a test needs at least one prompt");
    }
  }
}
