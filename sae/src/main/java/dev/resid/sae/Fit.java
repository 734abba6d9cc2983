package dev.resid.sae;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.WeightsState;
import dev.resid.tensor.Axis;

/** Whether an SAE belongs to a model. */
final class Fit {
  private Fit() {}

  static void require(SaeConfig config, Gpt2 gpt2) {
    requirePoint(config, config.point(), "reads", config.dIn(), gpt2);
    requirePoint(config, config.outputPoint(), "writes", config.dOut(), gpt2);
    WeightsState state =
        config
            .weights()
            .orElseThrow(
                () ->
                    new SaeMismatchException(
                        config.name()
                            + ": nothing states which weights it was trained on; say so with"
                            + " --weights raw or --weights transformerlens, or in code with"
                            + " SaeConfig.withWeights or Stated.on"));
    if (!state.equals(gpt2.weightsState())) {
      throw new SaeMismatchException(
          config.name()
              + " was trained on "
              + state.name()
              + " weights, the model has "
              + gpt2.weightsState().name()
              + "; load the model with --weights "
              + state.name()
              + ", in code with "
              + (state.equals(WeightsState.RAW)
                  ? "WeightTransforms.none()"
                  : "WeightTransforms.transformerLens()"));
    }
  }

  private static void requirePoint(
      SaeConfig config, HookPoint point, String does, int width, Gpt2 gpt2) {
    Gpt2Config model = gpt2.config();
    if (point.layer() >= model.nLayers()) {
      throw new SaeMismatchException(
          config.name()
              + " "
              + does
              + " "
              + point
              + ", the model "
              + gpt2.source()
              + " has the blocks 0 to "
              + (model.nLayers() - 1)
              + "; take an SAE of this model");
    }
    int found = width(point, model);
    if (found != width) {
      throw new SaeMismatchException(
          config.name()
              + " "
              + does
              + " "
              + point
              + " with width "
              + width
              + ", the model "
              + gpt2.source()
              + " has "
              + (found == 0 ? "no vectors" : "width " + found)
              + " there; take an SAE of this model");
    }
  }

  /**
   * Returns the width of an activation with its heads flattened; 0 if it has no rows of vectors.
   */
  private static int width(HookPoint point, Gpt2Config model) {
    Site site = point.site();
    int width = 1;
    for (Axis axis : site.axes()) {
      if (axis.equals(Axis.HEAD)) {
        width *= model.nHeads();
      } else if (axis.equals(Axis.D_HEAD)) {
        width *= model.dModel() / model.nHeads();
      } else if (axis.equals(Axis.D_MODEL)) {
        width *= model.dModel();
      } else if (axis.equals(Axis.D_MLP)) {
        width *= model.dMlp();
      } else if (axis.equals(Axis.KEY_POS)) {
        return 0;
      }
    }
    return width;
  }
}
