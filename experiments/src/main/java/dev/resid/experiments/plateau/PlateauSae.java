package dev.resid.experiments.plateau;

import dev.resid.experiments.direction.NamedSae;
import java.util.Optional;

/**
 * The SAE that synthetic activations are made with.
 *
 * @param named the SAE, what it is called, and the hash of its file
 * @param logFrequencies log10 of how often each feature is active, [d_sae], as its files state it;
 *     empty to measure it at the last positions of the prompts
 */
public record PlateauSae(NamedSae named, Optional<float[]> logFrequencies) {
  /** Features at or below this log10 frequency count as dead, as in the publication. */
  static final double DEAD = -10;

  /**
   * Checks the number of frequencies.
   *
   * @throws IllegalArgumentException if there is not one for each feature
   */
  public PlateauSae {
    int dSae = named.sae().config().dSae();
    if (logFrequencies.isPresent() && logFrequencies.get().length != dSae) {
      throw new IllegalArgumentException(
          named.name()
              + " has "
              + dSae
              + " features and "
              + logFrequencies.get().length
              + " frequencies");
    }
  }

  /** Returns where densities come from, in one word. */
  String densitySource() {
    return logFrequencies.isPresent() ? "file" : "measured";
  }
}
