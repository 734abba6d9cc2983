package dev.resid.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleUnaryOperator;

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
    shape.requireIndex(axis, index);
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
    if (from < 0 || to < from || to > size) {
      throw new IndexOutOfBoundsException(
          axis + " " + from + " to before " + to + " is no range in " + shape);
    }
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
    shape.requireIndex(axis, index);
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
   * Returns the same values with another name of one axis.
   *
   * @param from the axis
   * @param to its new name, which no other axis has
   * @throws ShapeMismatchException if there is no such axis
   */
  public Tensor renamed(Axis from, Axis to) {
    List<Dim> dims = new ArrayList<>(shape.dims());
    dims.set(shape.indexOf(from), new Dim(to, shape.size(from)));
    return new Tensor(new Shape(dims), storage);
  }

  /**
   * Returns tensors of one shape side by side along a new outermost axis, [axis, ...]; {@link #at}
   * takes them apart again.
   *
   * @param axis its name, which no axis of theirs has
   * @param parts at least one
   * @throws ShapeMismatchException if the shapes differ
   */
  public static Tensor stack(Axis axis, List<Tensor> parts) {
    return NamedAxes.stack(axis, parts);
  }

  /**
   * Returns the element-wise sum, in the shape of this tensor.
   *
   * @param other of this shape, or without some of its axes: the same is then added at each index
   *     of those, as a vector [d_model] to every position
   * @throws ShapeMismatchException if it has an axis that this one has not, or in another size
   */
  public Tensor plus(Tensor other) {
    float[] out = toArray();
    float[] right = NamedAxes.repeated(other, shape);
    for (int i = 0; i < out.length; i++) {
      out[i] += right[i];
    }
    return wrap(shape, out);
  }

  /**
   * Returns the element-wise difference, in the shape of this tensor.
   *
   * @param other as for {@link #plus}
   * @throws ShapeMismatchException if it has an axis that this one has not, or in another size
   */
  public Tensor minus(Tensor other) {
    float[] out = toArray();
    float[] right = NamedAxes.repeated(other, shape);
    for (int i = 0; i < out.length; i++) {
      out[i] -= right[i];
    }
    return wrap(shape, out);
  }

  /**
   * Returns the element-wise product, in the shape of this tensor.
   *
   * @param other as for {@link #plus}
   * @throws ShapeMismatchException if it has an axis that this one has not, or in another size
   */
  public Tensor times(Tensor other) {
    float[] out = toArray();
    float[] right = NamedAxes.repeated(other, shape);
    for (int i = 0; i < out.length; i++) {
      out[i] *= right[i];
    }
    return wrap(shape, out);
  }

  /**
   * Returns Σ_axis this·other. The result has the axes of this tensor without {@code axis}, then
   * those of the other one that this one lacks: [batch, pos, d_model] and [d_model, d_vocab] give
   * [batch, pos, d_vocab]. An axis that both have is matched, index by index, as {@code head} in
   * [head, pos, d_head] and [head, d_head, d_model]; where it should not be, {@linkplain #renamed
   * rename} it in one of them.
   *
   * <p>Computed on the host by one thread, for directions and single matrices; whole layers are the
   * {@link Backend}'s.
   *
   * @param other has {@code axis} too
   * @param axis summed over
   * @throws ShapeMismatchException if one of them lacks the axis, or an axis has two sizes
   * @accuracy one rounding to float32 of a float64 sum
   */
  public Tensor dot(Tensor other, Axis axis) {
    return NamedAxes.dot(this, other, axis);
  }

  /**
   * Returns the sum over an axis, without that axis.
   *
   * @throws ShapeMismatchException if there is no such axis
   * @accuracy one rounding to float32 of a float64 sum
   */
  public Tensor sum(Axis axis) {
    return rounded(axis, NamedAxes.sums(this, axis, x -> x), sum -> sum);
  }

  /**
   * Returns the mean over an axis, without that axis. Positions past the end of a shorter row count
   * like others; {@code Ablation.mean} leaves them out.
   *
   * @throws ShapeMismatchException if there is no such axis
   * @accuracy that of a float64 sum, rounded to float32
   */
  public Tensor mean(Axis axis) {
    int size = shape.size(axis);
    return rounded(axis, NamedAxes.sums(this, axis, x -> x), sum -> sum / size);
  }

  /**
   * Returns the Euclidean length along an axis, √(Σ x²), without that axis.
   *
   * @throws ShapeMismatchException if there is no such axis
   * @accuracy that of a float64 sum, rounded to float32
   */
  public Tensor norm(Axis axis) {
    return rounded(axis, NamedAxes.sums(this, axis, x -> x * x), Math::sqrt);
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

  private Tensor rounded(Axis axis, double[] sums, DoubleUnaryOperator last) {
    float[] out = new float[sums.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) last.applyAsDouble(sums[i]);
    }
    return wrap(shape.without(axis), out);
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
      Dim dim = shape.dims().get(i);
      shape.requireIndex(dim.axis(), index[i]);
      offset = offset * dim.size() + index[i];
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
