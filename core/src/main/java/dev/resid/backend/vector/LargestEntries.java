package dev.resid.backend.vector;

/** The k largest entries of a row, largest first. */
final class LargestEntries {
  private LargestEntries() {}

  /** Writes the k largest of n values to indices and values from `to` on, largest first. */
  static void of(float[] x, int from, int n, int k, int[] indices, float[] values, int to) {
    if (k == 0) {
      return;
    }
    LargestKeys largest = new LargestKeys(k);
    largest.offer(x, from, n, 0);
    long[] keys = largest.sorted();
    for (int i = 0; i < k; i++) {
      int index = LargestKeys.columnOf(keys[k - 1 - i]);
      indices[to + i] = index;
      values[to + i] = x[from + index];
    }
  }
}
