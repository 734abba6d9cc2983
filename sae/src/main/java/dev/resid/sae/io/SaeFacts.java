package dev.resid.sae.io;

import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;
import java.io.IOException;
import java.nio.file.Path;

/** Makes facts from what files state. */
final class SaeFacts {
  /** Puts facts together. */
  @FunctionalInterface
  interface Maker {
    SaeConfig make() throws IOException;
  }

  private SaeFacts() {}

  /**
   * Returns facts, or refuses those that contradict each other.
   *
   * @param file what the error message names
   * @param maker puts them together
   * @throws SaeCheckpointException if they contradict each other
   */
  static SaeConfig of(Path file, Maker maker) throws IOException {
    try {
      return maker.make();
    } catch (IllegalArgumentException e) {
      throw new SaeCheckpointException(
          file + ": " + SaeJson.line(e.getMessage()) + ". Correct the file, or fetch it again");
    }
  }

  /** Returns facts whose input scale was multiplied into the parameters. */
  static SaeConfig withoutScale(SaeConfig config) {
    return new SaeConfig(
        config.name(),
        config.architecture(),
        config.dIn(),
        config.dSae(),
        config.dOut(),
        config.k(),
        config.topKScale(),
        Normalization.NONE,
        1,
        config.decoderBias(),
        config.point(),
        config.outputPoint(),
        config.weights(),
        config.provenance());
  }
}
