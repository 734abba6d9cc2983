package dev.resid.sae;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;

/** The one table of an SAE's parameters: name in a SAELens file, and shape. */
public enum SaeWeight {
  /** Encoder, [d_in, d_sae]. */
  W_enc,
  /** Bias of the pre-activations, [d_sae]; gated SAEs have none. */
  b_enc,
  /** Decoder, [d_sae, d_out]; row i is the direction of feature i. */
  W_dec,
  /** Bias of the reconstruction, [d_out]. */
  b_dec,
  /** Thresholds of a jump-ReLU, [d_sae]. */
  threshold,
  /** Bias of the gates, [d_sae]. */
  b_gate,
  /** Bias of the magnitudes, [d_sae]. */
  b_mag,
  /** Logarithm of the magnitudes' scale against the gates, [d_sae]. */
  r_mag,
  /** Multiplies features before decoding, [d_sae]. */
  scaling_factor,
  /** Linear path of a skip transcoder, [d_out, d_in]. */
  W_skip;

  /**
   * Returns the shape of this parameter.
   *
   * @param dIn width of the input
   * @param dSae number of features
   * @param dOut width of the output
   */
  public Shape shape(int dIn, int dSae, int dOut) {
    return switch (this) {
      case W_enc -> Shape.of(Axis.IN, dIn, Axis.D_SAE, dSae);
      case W_dec -> Shape.of(Axis.D_SAE, dSae, Axis.OUT, dOut);
      case b_dec -> Shape.of(Axis.OUT, dOut);
      case W_skip -> Shape.of(Axis.OUT, dOut, Axis.IN, dIn);
      default -> Shape.of(Axis.D_SAE, dSae);
    };
  }
}
