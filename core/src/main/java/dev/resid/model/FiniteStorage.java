package dev.resid.model;

import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Storage;

/**
 * Values of a weight that are refused where they are NaN or infinite, when they are read: a file is
 * then read once, not once to look and once to load.
 *
 * @param weight for the message
 * @param values the weight's values, perhaps with others after them
 * @param size how many they are
 */
record FiniteStorage(Weight weight, Storage values, long size) implements Storage {
  private static final int PIECE = 1 << 16;

  /**
   * As {@link Storage#read}.
   *
   * @throws NonFiniteWeightException if one of the values is not finite
   */
  @Override
  public void read(long offset, float[] target, int targetOffset, int length) {
    values.read(offset, target, targetOffset, length);
    require(offset, target, targetOffset, length);
  }

  /**
   * Looks at every value.
   *
   * @throws NonFiniteWeightException naming the first that is not finite
   */
  void requireAll() {
    if (values instanceof HostStorage host) {
      require(0, host.array(), 0, Math.toIntExact(size));
      return;
    }
    float[] piece = new float[(int) Math.min(PIECE, size)];
    for (long from = 0; from < size; from += piece.length) {
      read(from, piece, 0, (int) Math.min(piece.length, size - from));
    }
  }

  private void require(long offset, float[] read, int at, int length) {
    for (int i = at; i < at + length; i++) {
      if (!Float.isFinite(read[i])) {
        throw new NonFiniteWeightException(
            "weight "
                + weight.fileKey()
                + " ("
                + weight
                + ") holds "
                + read[i]
                + " at element "
                + (offset + i - at)
                + "; the checkpoint is damaged or its training diverged");
      }
    }
  }
}
