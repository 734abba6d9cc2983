package dev.resid.experiments.study;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where the numbers that come out of one row stand: arrays by name, each of any number of axes, one
 * after another. Immutable.
 */
public final class RowLayout {
  private final Map<String, Part> parts;
  private final int count;

  private record Part(int from, int[] sizes) {}

  private RowLayout(Map<String, Part> parts, int count) {
    this.parts = parts;
    this.count = count;
  }

  /** Returns a layout without numbers. */
  public static RowLayout empty() {
    return new RowLayout(Map.of(), 0);
  }

  /**
   * Returns this layout with one more array at its end.
   *
   * @param name not yet in it
   * @param sizes of its axes; none for a single number
   */
  public RowLayout with(String name, int... sizes) {
    Map<String, Part> more = new LinkedHashMap<>(parts);
    if (more.put(name, new Part(count, sizes.clone())) != null) {
      throw new IllegalArgumentException(name + " is in the layout twice");
    }
    int elements = 1;
    for (int size : sizes) {
      elements = Math.multiplyExact(elements, size);
    }
    return new RowLayout(more, Math.addExact(count, elements));
  }

  /** Returns how many numbers a row has. */
  public int count() {
    return count;
  }

  /**
   * Returns the place of a number.
   *
   * @param name of the array
   * @param at one index an axis
   * @throws IllegalArgumentException if there is no such array
   * @throws IndexOutOfBoundsException if an index is outside its axis
   */
  public int index(String name, int... at) {
    Part part = parts.get(name);
    if (part == null || part.sizes.length != at.length) {
      throw new IllegalArgumentException(
          "no " + name + " of " + at.length + " axes in " + parts.keySet());
    }
    int offset = 0;
    for (int axis = 0; axis < at.length; axis++) {
      offset = offset * part.sizes[axis] + java.util.Objects.checkIndex(at[axis], part.sizes[axis]);
    }
    return part.from + offset;
  }
}
