package dev.resid.hook;

import dev.resid.tensor.Tensor;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The activations one call captured. */
public final class ActivationCache {
  private final Map<HookPoint, Tensor> tensors;

  /**
   * Creates a cache of captured tensors.
   *
   * @param tensors activations by point
   */
  public ActivationCache(Map<HookPoint, Tensor> tensors) {
    this.tensors = Collections.unmodifiableMap(new TreeMap<>(tensors));
  }

  /**
   * Returns the activation at a point, with the axes its {@link Site} states; axis {@code pos} has
   * the captured positions only. Positions past the end of a shorter row hold zeros.
   *
   * @throws NoSuchActivationException if the point was not captured
   */
  public Tensor get(HookPoint point) {
    Tensor tensor = tensors.get(point);
    if (tensor == null) {
      throw new NoSuchActivationException(
          point
              + " was not captured in this run (captured: "
              + (tensors.isEmpty()
                  ? "nothing"
                  : tensors.keySet().stream()
                      .map(HookPoint::name)
                      .collect(Collectors.joining(", ")))
              + "). Pass its capture() to the call");
    }
    return tensor;
  }

  /** Returns the captured points in the order of the forward pass. */
  public Set<HookPoint> points() {
    return tensors.keySet();
  }
}
