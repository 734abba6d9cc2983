package dev.resid.tensor;

import java.util.Arrays;
import java.util.Objects;

/**
 * A dense row-major float32 array with named axes. Methods return new tensors and never change this
 * one; only a {@link Backend} writes into a tensor it was given as output.
 */
public final class Tensor {
  private final Shape shape;
  private final Storage storage;

  private Tensor(Shape shape, Storage storage) {
    this.shape = Objects.requireNonNull(shape, "shape");
    this.storage = Objects.requireNonNull(storage, "storage");
    if (storage.size() < shape.elements()) {
      throw new ShapeMismatchException(
          shape + " needs " + shape.elements() + " values, found " + storage.size());
    }
  }

  /**
   * Returns a tensor that holds a copy of the values.
   *
   * @param shape its shape
   * @param values row-major values, exactly as many as the shape has elements
   * @throws ShapeMismatchException if the number of values differs
   */
  public static Tensor of(Shape shape, float... values) {
    return wrap(shape, values.clone());
  }

  /**
   * Returns a tensor on the array itself, without a copy. The caller must not change it afterwards.
   *
   * @param shape its shape
   * @param values row-major values, exactly as many as the shape has elements
   * @throws ShapeMismatchException if the number of values differs
   */
  public static Tensor wrap(Shape shape, float[] values) {
    if (values.length != shape.elements()) {
      throw new ShapeMismatchException(
          shape + " needs " + shape.elements() + " values, found " + values.length);
    }
    return new Tensor(shape, new HostStorage(values));
  }

  /** Returns a tensor of zeros on the host. */
  public static Tensor zeros(Shape shape) {
    return wrap(shape, new float[hostLength(shape)]);
  }

  /**
   * Returns a tensor on a storage, without a copy. For backends and file readers.
   *
   * @param shape its shape
   * @param storage at least as many values as the shape has elements
   */
  public static Tensor on(Shape shape, Storage storage) {
    return new Tensor(shape, storage);
  }

  /** Returns the shape. */
  public Shape shape() {
    return shape;
  }

  /** Returns where the numbers are. */
  public Storage storage() {
    return storage;
  }

  /** Returns the number of elements. */
  public long elements() {
    return shape.elements();
  }

  /** Returns a row-major copy of the values. */
  public float[] toArray() {
    float[] copy = new float[hostLength(shape)];
    storage.read(0, copy, 0, copy.length);
    return copy;
  }

  /**
   * Returns one element.
   *
   * @param index one index an axis, outermost first
   * @throws IndexOutOfBoundsException if an index is outside its axis
   * @throws ShapeMismatchException if the number of indices is not the rank
   */
  public float get(int... index) {
    float[] one = new float[1];
    storage.read(offset(index), one, 0, 1);
    return one[0];
  }

  /**
   * Returns a copy of the part at one index of an axis, without that axis.
   *
   * @param axis which axis
   * @param index index on it
   * @throws IndexOutOfBoundsException if the index is outside the axis
   */
  public Tensor at(Axis axis, int index) {
    return slice(axis, index, index + 1).reshape(shape.without(axis));
  }

  /**
   * Returns a copy of a range of an axis, which keeps its axis.
   *
   * @param axis which axis
   * @param from first index
   * @param to index after the last
   * @throws IndexOutOfBoundsException if the range is outside the axis
   */
  public Tensor slice(Axis axis, int from, int to) {
    int size = shape.size(axis);
    Objects.checkFromToIndex(from, to, size);
    long inner = innerOf(axis);
    long outer = elements() / Math.max(1, inner * size);
    Shape result = shape.with(axis, to - from);
    float[] out = new float[hostLength(result)];
    int run = Math.toIntExact(inner * (to - from));
    if (size > 0) {
      for (long o = 0; o < outer; o++) {
        storage.read((o * size + from) * inner, out, Math.toIntExact(o * run), run);
      }
    }
    return wrap(result, out);
  }

  /**
   * Returns a copy in which the part at one index of an axis is replaced.
   *
   * @param axis which axis
   * @param index index on it
   * @param part the new values, of this shape without the axis
   * @throws ShapeMismatchException if {@code part} has another shape
   */
  public Tensor with(Axis axis, int index, Tensor part) {
    int size = shape.size(axis);
    Objects.checkIndex(index, size);
    if (!part.shape.equals(shape.without(axis))) {
      throw new ShapeMismatchException(
          "the part at " + axis + " is " + part.shape + ", expected " + shape.without(axis));
    }
    float[] out = toArray();
    float[] values = part.toArray();
    int inner = Math.toIntExact(innerOf(axis));
    int outer = inner == 0 ? 0 : values.length / inner;
    for (int o = 0; o < outer; o++) {
      System.arraycopy(values, o * inner, out, (o * size + index) * inner, inner);
    }
    return wrap(shape, out);
  }

  /**
   * Returns the same values under another shape.
   *
   * @throws ShapeMismatchException if the number of elements differs
   */
  public Tensor reshape(Shape other) {
    if (other.elements() != shape.elements()) {
      throw new ShapeMismatchException("cannot read " + shape + " as " + other);
    }
    return new Tensor(other, storage);
  }

  /**
   * Returns the element-wise sum.
   *
   * @throws ShapeMismatchException if the shapes differ
   */
  public Tensor plus(Tensor other) {
    requireShape(other);
    float[] out = toArray();
    float[] right = other.toArray();
    for (int i = 0; i < out.length; i++) {
      out[i] += right[i];
    }
    return wrap(shape, out);
  }

  /**
   * Returns the element-wise difference.
   *
   * @throws ShapeMismatchException if the shapes differ
   */
  public Tensor minus(Tensor other) {
    requireShape(other);
    float[] out = toArray();
    float[] right = other.toArray();
    for (int i = 0; i < out.length; i++) {
      out[i] -= right[i];
    }
    return wrap(shape, out);
  }

  /** Returns every element multiplied by a factor, which is rounded to float first. */
  public Tensor times(double factor) {
    float f = (float) factor;
    return map(x -> x * f);
  }

  /** Returns every element replaced by what the function makes of it. */
  public Tensor map(FloatFunction function) {
    float[] out = toArray();
    for (int i = 0; i < out.length; i++) {
      out[i] = function.apply(out[i]);
    }
    return wrap(shape, out);
  }

  /** Returns whether both tensors have the same shape and the same bits in every element. */
  public boolean sameBits(Tensor other) {
    if (!shape.equals(other.shape)) {
      return false;
    }
    float[] left = toArray();
    float[] right = other.toArray();
    for (int i = 0; i < left.length; i++) {
      if (Float.floatToRawIntBits(left[i]) != Float.floatToRawIntBits(right[i])) {
        return false;
      }
    }
    return true;
  }

  /** Returns the shape and, for at most eight elements, the values. */
  @Override
  public String toString() {
    return elements() <= 8 ? "Tensor" + shape + Arrays.toString(toArray()) : "Tensor" + shape;
  }

  /** A function from float to float. */
  @FunctionalInterface
  public interface FloatFunction {
    /** Returns the value at {@code x}. */
    float apply(float x);
  }

  private void requireShape(Tensor other) {
    if (!shape.equals(other.shape)) {
      throw new ShapeMismatchException("shapes differ: " + shape + " and " + other.shape);
    }
  }

  private long innerOf(Axis axis) {
    long inner = 1;
    for (int i = shape.indexOf(axis) + 1; i < shape.rank(); i++) {
      inner *= shape.dims().get(i).size();
    }
    return inner;
  }

  private long offset(int[] index) {
    if (index.length != shape.rank()) {
      throw new ShapeMismatchException(index.length + " indices for " + shape);
    }
    long offset = 0;
    for (int i = 0; i < index.length; i++) {
      int size = shape.dims().get(i).size();
      offset = offset * size + Objects.checkIndex(index[i], size);
    }
    return offset;
  }

  private static int hostLength(Shape shape) {
    long elements = shape.elements();
    if (elements > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          shape
              + " has "
              + elements
              + " elements, more than a host array holds; use smaller parts");
    }
    return (int) elements;
  }
}
