package dev.resid.sae;

/**
 * What is done to an activation before encoding, and undone after decoding.
 *
 * @source SAELens 6.18.0, {@code normalize_activations}
 */
public enum Normalization {
  /** Nothing. */
  NONE,
  /**
   * x times one constant, which makes the norm √d_in on average over the training text; the
   * constant is {@link SaeConfig#inputScale()}. SAELens folds it into the weights before
   * publishing, so a published SAE with constant 1 encodes and decodes as with {@link #NONE}.
   */
  EXPECTED_AVERAGE_NORM,
  /** x·√d_in/‖x‖, so that every activation has norm √d_in. */
  CONSTANT_NORM,
  /** (x − mean)/(deviation + 1e-5), with the unbiased standard deviation over d_in. */
  LAYER_NORM;

  /** Returns whether undoing it needs the row it was done to. */
  public boolean dependsOnRow() {
    return this == CONSTANT_NORM || this == LAYER_NORM;
  }
}
