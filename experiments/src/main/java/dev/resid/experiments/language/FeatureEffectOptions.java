package dev.resid.experiments.language;

/**
 * What is measured.
 *
 * @param cloze test, prompts and SAEs; at least one SAE
 * @param window positions before a prompt's final token at which features count as active
 */
public record FeatureEffectOptions(ClozeOptions cloze, int window) {
  /** Checks that there is an SAE and a position. */
  public FeatureEffectOptions {
    if (cloze.saes().isEmpty()) {
      throw new IllegalArgumentException(
          "this measures features of SAEs and there is none; name one with --sae");
    }
    if (window < 1) {
      throw new IllegalArgumentException("the window is " + window + ", must be at least 1");
    }
  }

  /**
   * Returns the window of the publication: 32 positions for LAMBADA, 128 for the Children's Book
   * Test.
   */
  public static int windowOf(ClozeTask task) {
    return switch (task) {
      case LAMBADA -> 32;
      case CBT -> 128;
    };
  }
}
