package dev.resid.tensor;

import java.util.Objects;

/**
 * A named axis with its size.
 *
 * @param axis which axis
 * @param size its length, at least 0
 */
public record Dim(Axis axis, int size) {
  /** Checks that the size is not negative. */
  public Dim {
    Objects.requireNonNull(axis, "axis");
    if (size < 0) {
      throw new IllegalArgumentException("axis " + axis + " has negative size " + size);
    }
  }

  @Override
  public String toString() {
    return axis + "=" + size;
  }
}
