package dev.resid.backend.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

// The k largest entries of a row that is seen piece by piece, in ascending order of column. An
// entry
// becomes one long whose order is the wanted order: the value in the upper half, mapped so that
// integers compare like floats, and the complement of the column in the lower half, so that of
// equal
// values the lower column is larger. A heap holds the k largest longs so far with the smallest of
// them at its root.
final class LargestKeys {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final int NAN_ORDER = Integer.MIN_VALUE;

  private final long[] heap;
  private int size;

  /** Creates an empty one for the k largest; k is at least 1. */
  LargestKeys(int k) {
    heap = new long[k];
  }

  /** Offers n values; their columns are higher than all before. */
  void offer(float[] x, int from, int n, int column) {
    int i = 0;
    for (; i < n && size < heap.length; i++) {
      heap[size++] = key(x[from + i], column + i);
      if (size == heap.length) {
        Arrays.sort(heap);
      }
    }
    while (i < n) {
      int last = Math.min(n, i + F.length());
      if (last - i == F.length() && noneAbove(x, from + i, valueOf(heap[0]))) {
        i = last;
      }
      for (; i < last; i++) {
        long key = key(x[from + i], column + i);
        if (key > heap[0]) {
          replaceSmallest(key);
        }
      }
    }
  }

  /** Returns the keys, in ascending order; the heap is one no longer. */
  long[] sorted() {
    Arrays.sort(heap, 0, size);
    return size == heap.length ? heap : Arrays.copyOf(heap, size);
  }

  /**
   * Writes the k largest entries of the parts of a row, in ascending order of column.
   *
   * @param parts of which there are k entries at least, together
   * @param to where the row begins in indices and values
   */
  static void merge(LargestKeys[] parts, int k, int[] indices, float[] values, int to) {
    long[] all = parts[0].sorted();
    for (int p = 1; p < parts.length; p++) {
      long[] more = parts[p].sorted();
      int before = all.length;
      all = Arrays.copyOf(all, before + more.length);
      System.arraycopy(more, 0, all, before, more.length);
    }
    if (parts.length > 1) {
      Arrays.sort(all);
    }
    long[] byColumn = new long[k];
    for (int i = 0; i < k; i++) {
      byColumn[i] = Long.rotateLeft(~all[all.length - 1 - i], Integer.SIZE);
    }
    Arrays.sort(byColumn);
    for (int i = 0; i < k; i++) {
      long key = ~Long.rotateRight(byColumn[i], Integer.SIZE);
      indices[to + i] = columnOf(key);
      values[to + i] = valueOf(key);
    }
  }

  // Most vectors have nothing to offer. An equal value has none either: its column is higher.
  private static boolean noneAbove(float[] x, int at, float threshold) {
    return !Float.isNaN(threshold)
        && !FloatVector.fromArray(F, x, at).compare(VectorOperators.GT, threshold).anyTrue();
  }

  private void replaceSmallest(long key) {
    int at = 0;
    int child = 1;
    while (child < heap.length) {
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) {
        child++;
      }
      if (key <= heap[child]) {
        break;
      }
      heap[at] = heap[child];
      at = child;
      child = 2 * at + 1;
    }
    heap[at] = key;
  }

  static int columnOf(long key) {
    return ~(int) key;
  }

  /** Returns the value; −0 comes back as 0 and any NaN as one. */
  static float valueOf(long key) {
    int order = (int) (key >> 32);
    return order == NAN_ORDER
        ? Float.NaN
        : Float.intBitsToFloat(order ^ ((order >> 31) & Integer.MAX_VALUE));
  }

  private static long key(float value, int column) {
    int order;
    if (Float.isNaN(value)) {
      order = NAN_ORDER;
    } else {
      int bits = Float.floatToRawIntBits(value + 0f); // adding 0 makes −0 equal to 0
      order = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
    }
    return ((long) order << 32) | (~column & 0xffffffffL);
  }
}
