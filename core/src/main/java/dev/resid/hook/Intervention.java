package dev.resid.hook;

import dev.resid.tensor.Tensor;

/** Activation in, activation out. */
@FunctionalInterface
public interface Intervention {
  /**
   * Returns the activation to go on with.
   *
   * @param activation the activation at the point, with the axes its {@link Site} states; a copy
   *     that the caller may keep
   * @param at where and at which positions the pass is
   * @return a tensor of the same shape, or {@code activation} itself to change nothing
   */
  Tensor apply(Tensor activation, At at);
}
