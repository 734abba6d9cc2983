package dev.resid.model;

import dev.resid.tensor.Tensor;

/** Where weights come from: memory, a mapped checkpoint, or a rewriting of another source. */
@FunctionalInterface
interface WeightSource {
  /** Returns a weight in the shape of {@link WeightNames#shape}. */
  Tensor get(Weight weight);
}
