package dev.resid.sae.io;

import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;

/** Copies of facts with something changed. */
final class SaeFacts {
  private SaeFacts() {}

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
