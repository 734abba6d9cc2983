package dev.resid.io;

import dev.resid.tensor.Storage;

/** Values that stay in their file and are converted to float32 piece by piece. */
record MappedStorage(Numbers numbers) implements Storage {
  @Override
  public long size() {
    return numbers.count();
  }

  @Override
  public void read(long offset, float[] target, int targetOffset, int length) {
    numbers.floats(offset, target, targetOffset, length);
  }
}
