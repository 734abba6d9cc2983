package dev.resid.sae;

import dev.resid.hook.At;
import dev.resid.tensor.Tensor;
import java.util.function.BiConsumer;

/**
 * Sees what passes through a splice, with the place of the pass it is called in; changes nothing.
 * What nobody sees is not computed.
 */
public sealed interface SpliceObserver {
  /** What can be seen as a tensor. */
  enum Site {
    /** The activation the SAE reads, as the model has it. */
    INPUT,
    /** {@link Sae#preActivations}, dense, [..., d_sae]. */
    PRE_ACTIVATIONS,
    /** What is decoded from the features after all edits, in the shape of the activation. */
    RECONSTRUCTION,
    /**
     * What the reconstruction from features before any edit misses: the activation at the point the
     * SAE writes, minus that reconstruction.
     */
    ERROR
  }

  /**
   * Sees a tensor.
   *
   * @param site which
   * @param observer called with it
   */
  record Activation(Site site, BiConsumer<Tensor, At> observer) implements SpliceObserver {}

  /**
   * Sees features.
   *
   * @param observer called with them
   */
  record Features(BiConsumer<SparseFeatures, At> observer) implements SpliceObserver {}

  /** Returns an observer of the activation the SAE reads, as the model has it. */
  static SpliceObserver input(BiConsumer<Tensor, At> observer) {
    return new Activation(Site.INPUT, observer);
  }

  /**
   * Returns an observer of {@link Sae#preActivations}, [..., d_sae]; only then is that dense tensor
   * made.
   */
  static SpliceObserver preActivations(BiConsumer<Tensor, At> observer) {
    return new Activation(Site.PRE_ACTIVATIONS, observer);
  }

  /** Returns an observer of the features that are decoded, after all edits. */
  static SpliceObserver features(BiConsumer<SparseFeatures, At> observer) {
    return new Features(observer);
  }

  /** Returns an observer of what is decoded, in the shape of the activation. */
  static SpliceObserver reconstruction(BiConsumer<Tensor, At> observer) {
    return new Activation(Site.RECONSTRUCTION, observer);
  }

  /** Returns an observer of what the reconstruction from unedited features misses. */
  static SpliceObserver error(BiConsumer<Tensor, At> observer) {
    return new Activation(Site.ERROR, observer);
  }
}
