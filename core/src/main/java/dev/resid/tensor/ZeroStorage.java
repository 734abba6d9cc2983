package dev.resid.tensor;

import java.util.Arrays;
import java.util.Objects;

/**
 * Zeros that take no memory.
 *
 * @param size how many
 */
record ZeroStorage(long size) implements Storage {
  @Override
  public void read(long offset, float[] target, int targetOffset, int length) {
    Objects.checkFromIndexSize(offset, (long) length, size);
    Arrays.fill(target, targetOffset, targetOffset + length, 0);
  }
}
