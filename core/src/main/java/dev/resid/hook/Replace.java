package dev.resid.hook;

import java.util.Objects;

/**
 * Replaces the activation at a point.
 *
 * @param point where
 * @param intervention by what
 */
public record Replace(HookPoint point, Intervention intervention) implements Hook {
  /** Checks that both are given. */
  public Replace {
    Objects.requireNonNull(point, "point");
    Objects.requireNonNull(intervention, "intervention");
  }
}
