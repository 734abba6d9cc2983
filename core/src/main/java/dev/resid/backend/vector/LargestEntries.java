package dev.resid.backend.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

// The k largest entries of a row. An entry becomes one long whose order is the wanted order: the
// value in the upper half, mapped so that integers compare like floats, and the complement of the
// index in the lower half, so that of equal values the lower index is larger. A heap holds the k
// largest longs so far with the smallest of them at its root.
final class LargestEntries {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final int NAN_KEY = Integer.MIN_VALUE;

  private LargestEntries() {}

  /** Writes the k largest of n values to indices and values from `to` on, largest first. */
  static void of(float[] x, int from, int n, int k, int[] indices, float[] values, int to) {
    if (k == 0) {
      return;
    }
    long[] heap = new long[k];
    for (int i = 0; i < k; i++) {
      heap[i] = key(x[from + i], i);
    }
    Arrays.sort(heap);
    for (int i = k; i < n; ) {
      int last = Math.min(n, i + F.length());
      if (last - i == F.length() && noneAbove(x, from + i, x[from + indexOf(heap[0])])) {
        i = last;
      }
      for (; i < last; i++) {
        long key = key(x[from + i], i);
        if (key > heap[0]) {
          replaceSmallest(heap, key);
        }
      }
    }
    Arrays.sort(heap);
    for (int i = 0; i < k; i++) {
      int index = indexOf(heap[k - 1 - i]);
      indices[to + i] = index;
      values[to + i] = x[from + index];
    }
  }

  // Most vectors have nothing to offer. An equal value has none either: its index is higher.
  private static boolean noneAbove(float[] x, int at, float threshold) {
    return !Float.isNaN(threshold)
        && !FloatVector.fromArray(F, x, at).compare(VectorOperators.GT, threshold).anyTrue();
  }

  private static int indexOf(long key) {
    return ~(int) key;
  }

  private static void replaceSmallest(long[] heap, long key) {
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

  private static long key(float value, int index) {
    int order;
    if (Float.isNaN(value)) {
      order = NAN_KEY;
    } else {
      int bits = Float.floatToRawIntBits(value + 0f); // adding 0 makes −0 equal to 0
      order = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
    }
    return ((long) order << 32) | (~index & 0xffffffffL);
  }
}
