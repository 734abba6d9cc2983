package dev.resid.experiments.direction;

import dev.resid.sae.Sae;

/**
 * An SAE with what tables, figures and records call it.
 *
 * @param name unique in a run, without a colon, for example {@code local-layer3-l0-31}
 * @param family SAEs of one family are drawn together, for example {@code local}
 * @param sha256 of its file, or empty if it was made in memory
 * @param sae the SAE
 */
public record NamedSae(String name, String family, String sha256, Sae sae) {
  /**
   * Checks the name.
   *
   * @throws IllegalArgumentException if it is empty or has a colon, which separates it from the
   *     kind of direction in tables
   */
  public NamedSae {
    if (name.isBlank() || name.contains(":")) {
      throw new IllegalArgumentException(
          "the name of an SAE is not empty and has no colon, got \"" + name + "\"");
    }
  }
}
