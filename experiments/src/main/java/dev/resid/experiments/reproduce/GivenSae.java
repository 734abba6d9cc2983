package dev.resid.experiments.reproduce;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.io.Stated;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Files of a published SAE. Its weights are read when a part needs them.
 *
 * @param published which SAE it is
 * @param path where it lies
 * @param stated what its files need not state
 * @param sha256 of its file
 */
public record GivenSae(PublishedSae published, Path path, Stated stated, String sha256) {
  /**
   * An SAE with how often its features are active.
   *
   * @param named the SAE
   * @param logFrequencies log10 by feature, if its files have them
   */
  record Loaded(NamedSae named, Optional<float[]> logFrequencies) {}

  /**
   * Loads it.
   *
   * @throws IOException if it cannot be read
   */
  Loaded load(Backend backend) throws IOException {
    try (SaeCheckpoint checkpoint = SaeCheckpoint.open(path, stated)) {
      return new Loaded(
          new NamedSae(published.shortName(), published.family(), sha256, checkpoint.load(backend)),
          checkpoint.logFrequencies());
    }
  }
}
