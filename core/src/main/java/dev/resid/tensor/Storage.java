package dev.resid.tensor;

/**
 * Where the numbers of a tensor are. {@link HostStorage} is a Java array; a device backend has its
 * own, and a mapped checkpoint is read through one that converts on the way.
 */
public interface Storage {
  /** Returns the number of float32 values. */
  long size();

  /**
   * Copies values to the host.
   *
   * @param offset index of the first value
   * @param target array to fill
   * @param targetOffset index in {@code target} of the first value
   * @param length number of values
   * @throws IndexOutOfBoundsException if either range is out of bounds
   */
  void read(long offset, float[] target, int targetOffset, int length);
}
