package dev.resid.hook;

import dev.resid.tensor.Axis;
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

  /**
   * Returns this intervention at some indices of an axis alone, such as one head or a few
   * positions; everything else stays as it came. What this one returns at other indices is left
   * out.
   *
   * @param axis which axis; at {@link Axis#POS} indices are true positions
   * @param indices which indices
   * @throws IndexOutOfBoundsException when it acts, if the axis has no such index; a position that
   *     the pass does not compute is left alone
   */
  default Intervention onlyAt(Axis axis, int... indices) {
    int[] chosen = indices.clone();
    return (x, at) -> PartOfAnActivation.replace(x, apply(x, at), axis, chosen, at);
  }
}
