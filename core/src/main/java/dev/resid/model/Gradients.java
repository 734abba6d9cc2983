package dev.resid.model;

import dev.resid.hook.HookPoint;
import dev.resid.hook.NoSuchActivationException;
import dev.resid.tensor.Tensor;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What a backward pass found. */
public final class Gradients {
  private final Map<Weight, Tensor> weights;
  private final Map<HookPoint, Tensor> activations;

  Gradients(Map<Weight, Tensor> weights, Map<HookPoint, Tensor> activations) {
    this.weights = Map.copyOf(weights);
    this.activations = Collections.unmodifiableMap(new TreeMap<>(activations));
  }

  /**
   * Returns the gradient of a weight, in the shape of its table row. In a tied model {@code W_E}
   * has the sum of both of its uses and {@code W_U} has none.
   *
   * @throws IllegalArgumentException if it was not asked for or the model has no such weight
   */
  public Tensor weight(Weight weight) {
    Tensor gradient = weights.get(weight);
    if (gradient == null) {
      throw new IllegalArgumentException(
          "there is no gradient of "
              + weight
              + (weights.isEmpty() ? "; pass Wanted.weightGradients() to backward()" : ""));
    }
    return gradient;
  }

  /** Returns the weights that have gradients. */
  public Set<Weight> weights() {
    return weights.keySet();
  }

  /**
   * Returns the gradient of an activation, of its shape.
   *
   * @throws NoSuchActivationException if it was not asked for
   */
  public Tensor activation(HookPoint point) {
    Tensor gradient = activations.get(point);
    if (gradient == null) {
      throw new NoSuchActivationException(
          "the gradient at "
              + point
              + " was not asked for (asked for: "
              + activations.keySet()
              + "). Name it in the Wanted passed to backward()");
    }
    return gradient;
  }
}
