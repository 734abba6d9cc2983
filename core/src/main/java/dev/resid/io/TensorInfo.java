package dev.resid.io;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Dim;
import dev.resid.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What a tensor file says about one tensor.
 *
 * @param name its key in the file
 * @param dtype how its numbers are stored
 * @param shape sizes, outermost first; empty for a single value
 * @param begin byte offset in the file of the first value; of the entry where that is compressed
 * @param end byte offset in the file after the last value, or after the compressed entry
 */
public record TensorInfo(String name, DType dtype, List<Long> shape, long begin, long end) {
  /** Copies the shape. */
  public TensorInfo {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(dtype, "dtype");
    shape = List.copyOf(shape);
  }

  /** Returns the number of values. */
  public long elements() {
    long product = 1;
    for (long size : shape) {
      product = Math.multiplyExact(product, size);
    }
    return product;
  }

  /** Returns the bytes between begin and end. */
  public long bytes() {
    return end - begin;
  }

  /**
   * Returns whether the sizes are those of a named shape, in order.
   *
   * @param named the shape to compare with
   */
  public boolean fits(Shape named) {
    if (named.rank() != shape.size()) {
      return false;
    }
    for (int i = 0; i < named.rank(); i++) {
      if (named.dims().get(i).size() != shape.get(i)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Returns the shape with axes named dim0, dim1 and so on.
   *
   * @throws ArithmeticException if a size is above 2^31-1
   */
  public Shape unnamedShape() {
    return unnamed(shape.stream().mapToInt(Math::toIntExact).toArray());
  }

  /**
   * Returns a shape with axes named dim0, dim1 and so on, for tensors whose axes have no names.
   *
   * @param sizes sizes, outermost first
   */
  public static Shape unnamed(int... sizes) {
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < sizes.length; i++) {
      dims.add(new Dim(new Axis("dim" + i), sizes[i]));
    }
    return new Shape(dims);
  }
}
