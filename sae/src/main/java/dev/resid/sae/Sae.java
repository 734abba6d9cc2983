package dev.resid.sae;

import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Intervention;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

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

  /**
   * Returns the direction a feature writes along, its row of W_dec as it is in the file, [d_out]; a
   * copy of this row alone, where {@link #weights} copies everything. To add it to an activation,
   * name its axis as the activation's: {@code decoderRow(7).renamed(OUT, D_MODEL)}.
   *
   * @param feature from 0 to d_sae − 1
   * @throws IndexOutOfBoundsException if there is no such feature
   */
  Tensor decoderRow(int feature);

  /** Returns the backend it runs on. */
  Backend backend();

  /** Returns the activation it reads. */
  default HookPoint hookPoint() {
    return config().point();
  }

  /**
   * Returns the active features of every row, without an array [rows, d_sae]. NaN counts as active,
   * so that a damaged activation shows in what follows from it.
   *
   * @param x activations [..., d_in]
   */
  SparseFeatures encode(Tensor x);

  /**
   * Returns the pre-activations, dense, [..., d_sae]: what the architecture's formula calls pre,
   * before decoder norms weigh it; of a gated SAE the magnitudes before their relu.
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
   * Returns what to put in the place of {@link #hookPoint()}'s activation. Width and point are
   * checked when it is called; what the model's weights went through it cannot see: {@link #hooks}
   * checks that too.
   *
   * @param mode with or without what the reconstruction misses
   * @param edits changes of features, in this order
   * @throws IllegalStateException if this is a transcoder, which writes at another point than it
   *     reads: use {@link #hooks}
   */
  default Intervention splice(SpliceMode mode, FeatureEdit... edits) {
    return splice(Splice.of(mode).edited(edits));
  }

  /**
   * Returns what to put in the place of {@link #hookPoint()}'s activation.
   *
   * @param splice what is done, and who sees it
   * @throws IllegalStateException if this is a transcoder
   */
  default Intervention splice(Splice splice) {
    return Splicing.intervention(this, splice);
  }

  /**
   * Returns the hooks that put this SAE into forward passes of a model: one, or for a transcoder
   * one at the point it reads and one at the point it writes, which belong into the same call.
   *
   * @param gpt2 the model
   * @param splice what is done, and who sees it
   * @throws SaeMismatchException as {@link #requireFits}
   */
  default List<Hook> hooks(Gpt2 gpt2, Splice splice) {
    requireFits(gpt2);
    return Splicing.hooks(this, splice);
  }

  /**
   * Returns the hooks that put several SAEs into the same forward passes of a model, in the order
   * of the SAEs.
   *
   * @param gpt2 the model
   * @param splice what is done with each, and who sees it
   * @param saes SAEs of one model; at one point they act in this order
   * @throws SaeMismatchException as {@link #requireFits}
   */
  static Hook[] hooks(Gpt2 gpt2, Splice splice, Sae... saes) {
    return Arrays.stream(saes)
        .flatMap(sae -> sae.hooks(gpt2, splice).stream())
        .toArray(Hook[]::new);
  }

  /**
   * Refuses a model that this SAE does not belong to.
   *
   * @param gpt2 the model
   * @throws SaeMismatchException if the model lacks a point the SAE reads or writes, has another
   *     width there, has weights in another state than the SAE was trained on, or nothing states
   *     that state; the message says what to do
   */
  default void requireFits(Gpt2 gpt2) {
    config().requireFits(gpt2);
  }
}
