package dev.resid.experiments.cli;

import dev.resid.model.WeightsState;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.io.Stated;
import java.io.IOException;
import picocli.CommandLine.Option;

/** The option {@code --sae-weights} of experiments, whose {@code --weights} are the model's. */
final class SaeWeightsMixin {
  @Option(
      names = "--sae-weights",
      paramLabel = "STATE",
      description =
          "raw or transformerlens: the model's weights the SAEs were trained on, where neither"
              + " their files nor the catalogue state it.")
  private ModelOptionsMixin.Weights stated;

  /** Called by picocli. */
  SaeWeightsMixin() {}

  /** Returns what is stated. */
  Stated stated() {
    if (stated == null) {
      return Stated.nothing();
    }
    return Stated.nothing()
        .on(
            switch (stated) {
              case RAW -> WeightsState.RAW;
              case TRANSFORMERLENS -> WeightsState.TRANSFORMER_LENS;
            });
  }

  /**
   * Refuses an SAE of which nobody states what it was trained on.
   *
   * @throws IOException if so; the sentence names the remedy
   */
  static void requireStated(SaeConfig config) throws IOException {
    if (config.weights().isEmpty()) {
      throw new IOException(
          config.name()
              + ": neither its files nor the catalogue state which weights it was trained on; add"
              + " --sae-weights raw or --sae-weights transformerlens ('resid sae check' finds out"
              + " which).");
    }
  }
}
