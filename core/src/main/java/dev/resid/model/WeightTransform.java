package dev.resid.model;

/**
 * One rewriting of the weights that keeps the output distribution. They are what TransformerLens
 * does on load; here each happens only when asked for.
 */
public enum WeightTransform {
  /**
   * γ and β of every layer norm go into the linear maps that read it, whose columns are then
   * centred over d_model (what they read has no mean). Activations of the residual stream stay as
   * they are.
   */
  FOLD_LAYER_NORM,
  /**
   * The mean over d_model is removed from W_E, W_pos, W_O, b_O, W_out and b_out: the residual
   * stream loses its own mean at every position.
   */
  CENTER_WRITING_WEIGHTS,
  /**
   * The mean over the vocabulary is removed from W_U and b_U: logits shift by one constant a row.
   */
  CENTER_UNEMBED,
  /** b_V·W_O is added to b_O and b_V becomes 0: z changes, the residual stream does not. */
  FOLD_VALUE_BIASES
}
