package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.WeightTransform;
import dev.resid.model.WeightsState;
import java.util.Optional;

/** The arguments of TransformerLens' loader, by which SAELens states what it did to a model. */
final class LoadingArguments {
  private LoadingArguments() {}

  /**
   * Returns the state of the model's weights, if the arguments state the rewriting that changes the
   * activation at this point: centring for the residual stream and what is added to it, folding of
   * value biases for z, folding of layer norms for their outputs.
   *
   * @throws SaeCheckpointException if an argument is neither true nor false
   */
  static Optional<WeightsState> weights(SaeJson arguments, HookPoint point)
      throws SaeCheckpointException {
    for (WeightTransform transform : WeightTransform.values()) {
      arguments.flag(keyOf(transform));
    }
    Optional<WeightTransform> decides = deciding(point.site());
    if (decides.isEmpty()) {
      return Optional.empty();
    }
    return arguments
        .flag(keyOf(decides.get()))
        .map(applied -> applied ? WeightsState.TRANSFORMER_LENS : WeightsState.RAW);
  }

  /** Returns TransformerLens' name of a rewriting, as an argument of its loader. */
  static String keyOf(WeightTransform transform) {
    return switch (transform) {
      case FOLD_LAYER_NORM -> "fold_ln";
      case CENTER_WRITING_WEIGHTS -> "center_writing_weights";
      case CENTER_UNEMBED -> "center_unembed";
      case FOLD_VALUE_BIASES -> "fold_value_biases";
    };
  }

  private static Optional<WeightTransform> deciding(Site site) {
    return switch (site) {
      case EMBED, POS_EMBED, RESID_PRE, RESID_MID, RESID_POST, ATTN_OUT, MLP_OUT ->
          Optional.of(WeightTransform.CENTER_WRITING_WEIGHTS);
      case Z, V -> Optional.of(WeightTransform.FOLD_VALUE_BIASES);
      case LN1_NORMALIZED, LN2_NORMALIZED, LN_FINAL_NORMALIZED ->
          Optional.of(WeightTransform.FOLD_LAYER_NORM);
      default -> Optional.empty();
    };
  }
}
