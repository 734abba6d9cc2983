package dev.resid.model;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What happens to a gradient at a hook point: seeds are added, a wanted gradient is kept, and that
 * of a replaced activation stops.
 */
final class GradientPoints {
  private final Backend backend;
  private final Scope scope;
  private final HookPlan plan;
  private final Set<HookPoint> wanted;
  private final Map<HookPoint, List<Tensor>> seeds = new HashMap<>();
  private final Map<HookPoint, Tensor> found = new HashMap<>();
  private final List<Seed> outputSeeds = new ArrayList<>();

  /**
   * Sorts the seeds.
   *
   * @param tape the run
   * @param wanted points whose gradients are kept
   * @param given terms of the scalar
   * @throws IllegalArgumentException if a point does not exist or cannot have a seed
   */
  GradientPoints(Tape tape, Set<HookPoint> wanted, Seed... given) {
    this.backend = tape.model().backend();
    this.scope = tape.scope();
    this.plan = tape.plan();
    this.wanted = wanted;
    Gpt2Config config = tape.model().config();
    wanted.forEach(point -> HookPlan.requireLayer(config, point));
    for (Seed seed : given) {
      if (seed instanceof Seed.Activation(HookPoint point, Tensor gradient)) {
        HookPlan.requireLayer(config, point);
        if (point.site() == Site.RESULT) {
          throw new IllegalArgumentException("a seed at " + point + " is not supported; use z");
        }
        seeds.computeIfAbsent(point, p -> new ArrayList<>()).add(gradient);
      } else {
        outputSeeds.add(seed);
      }
    }
  }

  /** Returns the seeds on the logits. */
  List<Seed> outputSeeds() {
    return outputSeeds;
  }

  /** Returns the wanted gradients that have been passed. */
  Map<HookPoint, Tensor> found() {
    return found;
  }

  /** Returns whether anything happens to the gradient of an activation. */
  boolean concern(Site site, int layer) {
    HookPoint point = new HookPoint(site, layer);
    return wanted.contains(point) || seeds.containsKey(point) || plan.replaces(site, layer);
  }

  /** Returns whether the gradient at a point is to be kept. */
  boolean isWanted(HookPoint point) {
    return wanted.contains(point);
  }

  /** Keeps a wanted gradient that is not computed in the scope's memory. */
  void keep(HookPoint point, Tensor gradient) {
    found.put(point, gradient);
  }

  /** Adds seeds, keeps a wanted gradient, and stops the gradient of a replaced activation. */
  Tensor at(Site site, int layer, Tensor gradient) {
    HookPoint point = new HookPoint(site, layer);
    for (Tensor seed : seeds.getOrDefault(point, List.of())) {
      requireShape("the seed at " + point, seed, gradient.shape());
      Tensor part = scope.take(gradient.shape());
      backend.copy(seed, part);
      backend.add(gradient, part, gradient);
      scope.give(part);
    }
    if (wanted.contains(point)) {
      found.put(point, Tensor.of(gradient.shape(), gradient.toArray()));
    }
    if (plan.replaces(site, layer)) {
      scope.give(gradient);
      return backend.allocate(gradient.shape());
    }
    return gradient;
  }

  /** Refuses a seed of another shape than its activation. */
  static void requireShape(String what, Tensor tensor, Shape expected) {
    if (!tensor.shape().equals(expected)) {
      throw new ShapeMismatchException(what + " is " + tensor.shape() + ", expected " + expected);
    }
  }
}
