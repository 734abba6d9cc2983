package dev.resid.tensor;

import java.util.Objects;

/**
 * A Java array. Backends for the CPU read and write {@link #array()} in place; other code should
 * use the methods of {@link Tensor}, which copy.
 */
public final class HostStorage implements Storage {
  private final float[] array;

  /**
   * Wraps an array without copying it.
   *
   * @param array the values
   */
  public HostStorage(float[] array) {
    this.array = Objects.requireNonNull(array, "array");
  }

  /** Returns the array itself, not a copy. It may be longer than the tensor that uses it. */
  public float[] array() {
    return array;
  }

  @Override
  public long size() {
    return array.length;
  }

  @Override
  public void read(long offset, float[] target, int targetOffset, int length) {
    System.arraycopy(array, Math.toIntExact(offset), target, targetOffset, length);
  }
}
