package dev.resid.experiments.cli;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.sae.SaeConfig;
import java.io.IOException;

/** Whether an SAE and a model belong together. */
final class SaePoints {
  private SaePoints() {}

  /**
   * Refuses a model that lacks the activation, or has it in another width.
   *
   * @throws IOException if they do not belong together; the sentence names both
   */
  static void requireFit(SaeConfig config, Gpt2 gpt2) throws IOException {
    Gpt2Config model = gpt2.config();
    if (!HookPoint.all(model.nLayers()).contains(config.point())) {
      throw new IOException(
          config.name()
              + " reads "
              + config.point()
              + ", but "
              + gpt2.source()
              + " has "
              + model.nLayers()
              + " blocks; name the model the SAE was trained on.");
    }
    int width = width(config.point().site(), model);
    if (config.dIn() != width) {
      throw new IOException(
          config.name()
              + " reads activations of width "
              + config.dIn()
              + ", but "
              + config.point()
              + " of "
              + gpt2.source()
              + " has width "
              + width
              + "; name the model the SAE was trained on.");
    }
  }

  private static int width(Site site, Gpt2Config model) {
    return switch (site) {
      case MLP_PRE, MLP_POST -> model.dMlp();
      default -> model.dModel(); // heads apart make d_model too
    };
  }
}
