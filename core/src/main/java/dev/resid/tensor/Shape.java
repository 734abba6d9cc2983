package dev.resid.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Named axes in memory order, the last one contiguous. Printed as {@code [batch=1, pos=9,
 * d_model=768]}.
 *
 * @param dims the axes, outermost first
 */
public record Shape(List<Dim> dims) {
  /** Copies the list and checks that no axis name occurs twice. */
  public Shape {
    dims = List.copyOf(dims);
    if (dims.stream().map(Dim::axis).distinct().count() != dims.size()) {
      throw new IllegalArgumentException("an axis occurs twice in " + dims);
    }
  }

  /**
   * Returns a shape of the given axes.
   *
   * @param dims the axes, outermost first
   */
  public static Shape of(Dim... dims) {
    return new Shape(Arrays.asList(dims));
  }

  /** Returns a shape of one axis. */
  public static Shape of(Axis a, int sizeA) {
    return of(new Dim(a, sizeA));
  }

  /** Returns a shape of two axes. */
  public static Shape of(Axis a, int sizeA, Axis b, int sizeB) {
    return of(new Dim(a, sizeA), new Dim(b, sizeB));
  }

  /** Returns a shape of three axes. */
  public static Shape of(Axis a, int sizeA, Axis b, int sizeB, Axis c, int sizeC) {
    return of(new Dim(a, sizeA), new Dim(b, sizeB), new Dim(c, sizeC));
  }

  /** Returns a shape of four axes. */
  public static Shape of(
      Axis a, int sizeA, Axis b, int sizeB, Axis c, int sizeC, Axis d, int sizeD) {
    return of(new Dim(a, sizeA), new Dim(b, sizeB), new Dim(c, sizeC), new Dim(d, sizeD));
  }

  /** Returns the number of axes. */
  public int rank() {
    return dims.size();
  }

  /** Returns the product of all sizes; 1 for a shape without axes. */
  public long elements() {
    long product = 1;
    for (Dim dim : dims) {
      product = Math.multiplyExact(product, (long) dim.size());
    }
    return product;
  }

  /**
   * Returns the size of an axis.
   *
   * @throws ShapeMismatchException if this shape has no such axis
   */
  public int size(Axis axis) {
    return dims.get(indexOf(axis)).size();
  }

  /** Returns whether this shape has the axis. */
  public boolean has(Axis axis) {
    return dims.stream().anyMatch(d -> d.axis().equals(axis));
  }

  /**
   * Returns the place of an axis, 0 for the outermost.
   *
   * @throws ShapeMismatchException if this shape has no such axis
   */
  public int indexOf(Axis axis) {
    for (int i = 0; i < dims.size(); i++) {
      if (dims.get(i).axis().equals(axis)) {
        return i;
      }
    }
    throw new ShapeMismatchException("there is no axis " + axis + " in " + this);
  }

  /**
   * Checks an index of an axis.
   *
   * @param axis which axis
   * @param index from 0 to its size less one
   * @throws IndexOutOfBoundsException if it is outside; the message names axis, index and shape
   * @throws ShapeMismatchException if this shape has no such axis
   */
  public void requireIndex(Axis axis, int index) {
    if (index < 0 || index >= size(axis)) {
      throw new IndexOutOfBoundsException(
          "there is no "
              + axis
              + " "
              + index
              + " in "
              + this
              + (index < 0 ? "; indices are counted from 0, never from the end" : ""));
    }
  }

  /** Returns the size of the last axis; 1 for a shape without axes. */
  public int last() {
    return dims.isEmpty() ? 1 : dims.getLast().size();
  }

  /** Returns the number of rows: the product of all sizes but the last. */
  public long rows() {
    long product = 1;
    for (int i = 0; i < dims.size() - 1; i++) {
      product = Math.multiplyExact(product, (long) dims.get(i).size());
    }
    return product;
  }

  /**
   * Returns this shape with another size of one axis.
   *
   * @throws ShapeMismatchException if this shape has no such axis
   */
  public Shape with(Axis axis, int size) {
    int index = indexOf(axis);
    List<Dim> changed = new ArrayList<>(dims);
    changed.set(index, new Dim(axis, size));
    return new Shape(changed);
  }

  /**
   * Returns this shape without one axis.
   *
   * @throws ShapeMismatchException if this shape has no such axis
   */
  public Shape without(Axis axis) {
    List<Dim> changed = new ArrayList<>(dims);
    changed.remove(indexOf(axis));
    return new Shape(changed);
  }

  /** Returns the sizes, outermost first. */
  public int[] sizes() {
    return dims.stream().mapToInt(Dim::size).toArray();
  }

  @Override
  public String toString() {
    return dims.stream().map(Dim::toString).collect(Collectors.joining(", ", "[", "]"));
  }
}
