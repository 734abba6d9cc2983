package dev.resid.model;

import java.util.EnumSet;
import java.util.Set;

/**
 * Rewritings of a model's weights, asked for by name. They go one way: applying one twice is an
 * error, and {@link WeightsState} remembers which were applied.
 *
 * @param transforms which rewritings, applied in the order of the enum
 */
public record WeightTransforms(Set<WeightTransform> transforms) {
  /** Copies the set. */
  public WeightTransforms {
    transforms = transforms.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(transforms));
  }

  /** Returns no rewriting: the numbers of the checkpoint. */
  public static WeightTransforms none() {
    return new WeightTransforms(Set.of());
  }

  /**
   * Returns all four rewritings, as TransformerLens does by default. Published residual-stream SAEs
   * for GPT-2 were trained on weights in this state.
   *
   * @source TransformerLens 2.16.1, default processing of {@code from_pretrained}
   */
  public static WeightTransforms transformerLens() {
    return new WeightTransforms(EnumSet.allOf(WeightTransform.class));
  }

  /** Returns the rewritings named. */
  public static WeightTransforms of(WeightTransform first, WeightTransform... more) {
    return new WeightTransforms(EnumSet.of(first, more));
  }

  /**
   * Returns the rewritten weights; they are computed when read, the originals are not changed.
   *
   * @throws IllegalStateException if one of these rewritings was already applied
   */
  public Gpt2Weights apply(Gpt2Weights weights) {
    Gpt2Weights result = weights;
    for (WeightTransform transform : WeightTransform.values()) {
      if (transforms.contains(transform)) {
        result = TransformedWeights.apply(transform, result);
      }
    }
    return result;
  }
}
