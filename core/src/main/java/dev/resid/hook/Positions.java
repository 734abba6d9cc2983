package dev.resid.hook;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Which positions of a row are captured. */
public sealed interface Positions {
  /** Every position. */
  record All() implements Positions {
    @Override
    public int[] in(int length) {
      return IntStream.range(0, length).toArray();
    }
  }

  /**
   * The positions listed, in that order.
   *
   * @param indices positions from 0
   */
  record Listed(java.util.List<Integer> indices) implements Positions {
    /** Copies the list. */
    public Listed {
      indices = java.util.List.copyOf(indices);
    }

    @Override
    public int[] in(int length) {
      for (int index : indices) {
        if (index < 0 || index >= length) {
          throw new IllegalArgumentException(
              "position " + index + " is outside a pass of " + length + " positions");
        }
      }
      return indices.stream().mapToInt(Integer::intValue).toArray();
    }
  }

  /** Returns every position. */
  static Positions all() {
    return new All();
  }

  /** Returns the positions listed, in that order. */
  static Positions of(int... indices) {
    return new Listed(Arrays.stream(indices).boxed().toList());
  }

  /** Returns the positions from {@code from} to before {@code to}. */
  static Positions range(int from, int to) {
    return of(IntStream.range(from, to).toArray());
  }

  /**
   * Returns the indices in a pass of so many positions.
   *
   * @throws IllegalArgumentException if one is outside
   */
  int[] in(int length);
}
