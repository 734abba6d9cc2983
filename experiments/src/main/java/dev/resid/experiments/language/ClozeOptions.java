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
 * @param quality what L0, L1, errors, norms and the increase of the cross-entropy are of
 * @param seed of the resamples
 */
public record ClozeOptions(
    ClozeTask task,
    List<ClozePrompt> prompts,
    List<NamedSae> saes,
    String data,
    Quality quality,
    long seed) {
  /** What the quality of SAEs is measured on. */
  public enum Quality {
    /** The clean activation, and cross-entropy with the SAE minus without. */
    OF_ACTIVATION,
    /**
     * The reconstruction fed to the SAE again, and cross-entropy with the SAE twice minus once:
     * what the published tables hold, whose code had the SAE in place already when it measured.
     */
    OF_RECONSTRUCTION;

    /** Returns the name in records and on the command line. */
    public String word() {
      return this == OF_ACTIVATION ? "activation" : "reconstruction";
    }
  }

  /** Copies the lists and checks that there is a prompt. */
  public ClozeOptions {
    prompts = List.copyOf(prompts);
    saes = List.copyOf(saes);
    if (prompts.isEmpty()) {
      throw new IllegalArgumentException("a test needs at least one prompt");
    }
  }

  /** Options for quality measured as it is defined, on the clean activation. */
  public ClozeOptions(
      ClozeTask task, List<ClozePrompt> prompts, List<NamedSae> saes, String data, long seed) {
    this(task, prompts, saes, data, Quality.OF_ACTIVATION, seed);
  }
}
