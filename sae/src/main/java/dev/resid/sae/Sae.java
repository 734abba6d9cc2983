package dev.resid.sae;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Intervention;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;

/**
 * A sparse autoencoder on one backend. Inputs are activations as the model has them, [..., d_in];
 * an SAE on {@code hook_z} takes [..., head, d_head] as well and gives it back.
 */
public sealed interface Sae permits ReluSae, TopKSae, JumpReluSae, GatedSae {
  /**
   * Returns an SAE of the architecture its configuration states.
   *
   * @param config the facts
   * @param weights the parameters; copied to the backend
   * @param backend where it runs
   * @throws IllegalArgumentException if a parameter that the architecture needs is missing, one
   *     that it does not have is there, or the widths differ from those of the configuration
   */
  static Sae of(SaeConfig config, SaeWeights weights, Backend backend) {
    return switch (config.architecture()) {
      case RELU -> new ReluSae(config, weights, backend);
      case TOP_K -> new TopKSae(config, weights, backend);
      case JUMP_RELU -> new JumpReluSae(config, weights, backend);
      case GATED -> new GatedSae(config, weights, backend);
    };
  }

  /** Returns the facts. */
  SaeConfig config();

  /** Returns the parameters, on the host, a copy. */
  SaeWeights weights();

  /** Returns the backend it runs on. */
  Backend backend();

  /** Returns the activation it reads. */
  default HookPoint hookPoint() {
    return config().point();
  }

  /**
   * Returns the active features of every row.
   *
   * @param x activations [..., d_in]
   */
  SparseFeatures encode(Tensor x);

  /**
   * Returns the pre-activations, dense, [..., d_sae]: what the architecture's formula calls pre.
   *
   * @param x activations [..., d_in]
   */
  Tensor preActivations(Tensor x);

  /**
   * Returns the reconstruction of activations, in their shape; {@code decode} of {@code encode},
   * with what a normalisation takes away given back.
   *
   * @param x activations [..., d_in]
   */
  default Tensor reconstruct(Tensor x) {
    return decode(encode(x), x);
  }

  /**
   * Returns the reconstruction from features, in the shape of the activation they were encoded
   * from.
   *
   * @param features features of the rows of {@code x}
   * @param x the activation [..., d_in]; a normalisation that depends on the row, and a skip
   *     connection, are taken from it
   */
  Tensor decode(SparseFeatures features, Tensor x);

  /**
   * Returns the reconstruction from features alone, [..., d_out].
   *
   * @throws IllegalStateException if the normalisation depends on the row, or there is a skip
   *     connection: then {@link #decode(SparseFeatures, Tensor)} is needed
   */
  Tensor decode(SparseFeatures features);

  /**
   * Returns what to put in the place of {@link #hookPoint()}'s activation.
   *
   * @param mode with or without what the reconstruction misses
   * @param edits changes of features, in this order
   * @throws IllegalStateException if this is a transcoder, which writes at another point than it
   *     reads
   */
  Intervention splice(SpliceMode mode, FeatureEdit... edits);
}
