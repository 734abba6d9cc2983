package dev.resid.hook;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;

/** Puts some indices of one activation into another. */
final class PartOfAnActivation {
  private PartOfAnActivation() {}

  /** Returns x with what y has at the indices; see {@link Intervention#onlyAt}. */
  static Tensor replace(Tensor x, Tensor y, Axis axis, int[] indices, At at) {
    Shape shape = x.shape();
    if (y == null || y == x || !y.shape().equals(shape)) {
      return y; // The pass names what is wrong with another shape.
    }
    int size = shape.size(axis);
    int inner = 1;
    for (int i = shape.indexOf(axis) + 1; i < shape.rank(); i++) {
      inner *= shape.dims().get(i).size();
    }
    float[] out = x.toArray();
    float[] from = y.toArray();
    for (int index : indices) {
      boolean position = axis.equals(Axis.POS);
      int there = position ? index - at.firstPosition() : index;
      if (index < 0 || !position && there >= size) {
        throw new IndexOutOfBoundsException(
            "there is no " + axis + " " + index + " at " + at.point() + ", which is " + shape);
      }
      if (there < 0 || there >= size) {
        continue;
      }
      for (int start = there * inner; start < out.length; start += size * inner) {
        System.arraycopy(from, start, out, start, inner);
      }
    }
    return Tensor.wrap(shape, out);
  }
}
