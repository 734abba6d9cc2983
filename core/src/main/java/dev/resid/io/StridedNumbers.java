package dev.resid.io;

import java.util.Objects;

/** A view of numbers: element (i, j, ...) is at offset + i * strides[0] + j * strides[1] + ... */
final class StridedNumbers implements Numbers {
  private final RawNumbers numbers;
  private final long offset;
  private final long[] sizes;
  private final long[] strides;
  private final long count;

  /**
   * Describes the view, every element of which must lie in the numbers.
   *
   * @param numbers what is looked at
   * @param offset index of the first element
   * @param sizes of the view, outermost first; their product fits in 63 bits
   * @param strides steps between neighbours along each axis, not negative
   */
  StridedNumbers(RawNumbers numbers, long offset, long[] sizes, long[] strides) {
    this.numbers = numbers;
    this.offset = offset;
    this.sizes = sizes.clone();
    this.strides = strides.clone();
    long product = 1;
    for (long size : sizes) {
      product = Math.multiplyExact(product, size);
    }
    this.count = product;
  }

  /** Copies a stretch along the last axis. */
  @FunctionalInterface
  private interface Stretch {
    void copy(long physical, long stride, int at, int length);
  }

  @Override
  public long count() {
    return count;
  }

  @Override
  public void floats(long from, float[] target, int at, int length) {
    Objects.checkFromIndexSize(at, length, target.length);
    walk(from, at, length, (p, stride, to, n) -> numbers.floats(p, stride, target, to, n));
  }

  @Override
  public void doubles(long from, double[] target, int at, int length) {
    Objects.checkFromIndexSize(at, length, target.length);
    walk(from, at, length, (p, stride, to, n) -> numbers.doubles(p, stride, target, to, n));
  }

  @Override
  public void longs(long from, long[] target, int at, int length) {
    Objects.checkFromIndexSize(at, length, target.length);
    walk(from, at, length, (p, stride, to, n) -> numbers.longs(p, stride, target, to, n));
  }

  private void walk(long from, int at, int length, Stretch stretch) {
    Objects.checkFromIndexSize(from, (long) length, count);
    if (length == 0) {
      return;
    }
    if (sizes.length == 0) {
      stretch.copy(offset, 1, at, length);
      return;
    }
    int last = sizes.length - 1;
    long[] index = new long[sizes.length];
    long rest = from;
    long physical = offset;
    for (int axis = last; axis >= 0; axis--) {
      index[axis] = rest % sizes[axis];
      rest /= sizes[axis];
      physical += index[axis] * strides[axis];
    }
    int done = 0;
    while (done < length) {
      int n = (int) Math.min(length - done, sizes[last] - index[last]);
      stretch.copy(physical, strides[last], at + done, n);
      done += n;
      physical += n * strides[last];
      index[last] += n;
      for (int axis = last; axis > 0 && index[axis] == sizes[axis]; axis--) {
        physical += strides[axis - 1] - sizes[axis] * strides[axis];
        index[axis] = 0;
        index[axis - 1]++;
      }
    }
  }
}
