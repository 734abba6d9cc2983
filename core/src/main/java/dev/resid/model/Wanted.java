package dev.resid.model;

import dev.resid.hook.HookPoint;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which gradients a backward pass returns; blocks below the lowest of them are not walked.
 *
 * @param weights all weights or none
 * @param points activations
 */
public record Wanted(Weights weights, Set<HookPoint> points) {
  /** Whether gradients of weights are wanted. */
  public enum Weights {
    /** Of every weight. */
    ALL,
    /** Of none. */
    NONE
  }

  /** Copies the set. */
  public Wanted {
    points = Collections.unmodifiableSet(new TreeSet<>(points));
  }

  /** Returns the gradients of every weight. */
  public static Wanted weightGradients() {
    return new Wanted(Weights.ALL, Set.of());
  }

  /** Returns the gradients of activations. */
  public static Wanted activations(HookPoint... points) {
    return new Wanted(Weights.NONE, Set.of(points));
  }

  /** Returns these gradients and those of more activations. */
  public Wanted and(HookPoint... more) {
    Set<HookPoint> all = new TreeSet<>(points);
    all.addAll(Set.of(more));
    return new Wanted(weights, all);
  }
}
