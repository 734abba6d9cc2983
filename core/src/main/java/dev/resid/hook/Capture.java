package dev.resid.hook;

import java.util.Collection;
import java.util.Objects;

/**
 * Keeps the activation at a point.
 *
 * @param point where
 * @param positions which positions of axis {@code pos}
 */
public record Capture(HookPoint point, Positions positions) implements Hook {
  /** Checks that both are given. */
  public Capture {
    Objects.requireNonNull(point, "point");
    Objects.requireNonNull(positions, "positions");
  }

  /**
   * Returns hooks that keep the activations at some points, at every position.
   *
   * @param points for example {@link HookPoint#matching}
   */
  public static Capture[] each(Collection<HookPoint> points) {
    return points.stream().map(HookPoint::capture).toArray(Capture[]::new);
  }
}
