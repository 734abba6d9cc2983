package dev.resid.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * Arithmetic of tensors whose axes are matched by name, on the host. Sums are in float64, in the
 * order of the indices, and rounded once.
 */
final class NamedAxes {
  private NamedAxes() {}

  /**
   * Returns the values of a tensor in another shape, row-major: repeated along the axes it lacks.
   *
   * @throws ShapeMismatchException if it has an axis that the shape has not, or in another size
   */
  static float[] repeated(Tensor part, Shape shape) {
    if (part.shape().equals(shape)) {
      return part.toArray();
    }
    for (Dim dim : part.shape().dims()) {
      if (!shape.dims().contains(dim)) {
        throw new ShapeMismatchException(
            "shapes differ: "
                + shape
                + " and "
                + part.shape()
                + "; the second may lack axes of the first, but "
                + dim
                + " is none of them");
      }
    }
    float[] values = part.toArray();
    int[] offsets = offsets(shape.dims(), part.shape());
    float[] out = new float[offsets.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = values[offsets[i]];
    }
    return out;
  }

  /** Returns tensors side by side; see {@link Tensor#stack}. */
  static Tensor stack(Axis axis, List<Tensor> parts) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("there is nothing to stack along " + axis);
    }
    Shape one = parts.getFirst().shape();
    List<Dim> dims = new ArrayList<>(one.dims());
    dims.addFirst(new Dim(axis, parts.size()));
    int length = Math.toIntExact(one.elements());
    float[] values = new float[Math.multiplyExact(length, parts.size())];
    for (int i = 0; i < parts.size(); i++) {
      Tensor part = parts.get(i);
      if (!part.shape().equals(one)) {
        throw new ShapeMismatchException(
            "shapes differ: part 0 is " + one + ", part " + i + " is " + part.shape());
      }
      part.storage().read(0, values, i * length, length);
    }
    return Tensor.wrap(new Shape(dims), values);
  }

  /** Returns Σ_axis left·right; see {@link Tensor#dot}. */
  static Tensor dot(Tensor left, Tensor right, Axis axis) {
    requireAgreement(left.shape(), right.shape());
    int terms = left.shape().size(axis);
    int leftStep = stride(left.shape(), axis);
    int rightStep = stride(right.shape(), axis);
    List<Dim> kept = left.shape().without(axis).dims();
    List<Dim> added =
        right.shape().without(axis).dims().stream().filter(d -> !kept.contains(d)).toList();
    int[] inLeft = offsets(kept, left.shape());
    int[] inRight = offsets(kept, right.shape());
    int[] beside = offsets(added, right.shape());
    float[] a = left.toArray();
    float[] b = right.toArray();
    float[] out = new float[Math.multiplyExact(inLeft.length, beside.length)];
    double[] sums = new double[beside.length];
    for (int i = 0; i < inLeft.length; i++) {
      Arrays.fill(sums, 0);
      for (int k = 0; k < terms; k++) {
        double factor = a[inLeft[i] + k * leftStep];
        int row = inRight[i] + k * rightStep;
        for (int j = 0; j < sums.length; j++) {
          sums[j] += factor * b[row + beside[j]];
        }
      }
      for (int j = 0; j < sums.length; j++) {
        out[i * sums.length + j] = (float) sums[j];
      }
    }
    List<Dim> dims = new ArrayList<>(kept);
    dims.addAll(added);
    return Tensor.wrap(new Shape(dims), out);
  }

  /** Returns Σ_axis f(x), not rounded, row-major over the other axes. */
  static double[] sums(Tensor x, Axis axis, DoubleUnaryOperator f) {
    int[] from = offsets(x.shape().without(axis).dims(), x.shape());
    int step = stride(x.shape(), axis);
    int terms = x.shape().size(axis);
    float[] values = x.toArray();
    double[] sums = new double[from.length];
    for (int i = 0; i < sums.length; i++) {
      for (int k = 0; k < terms; k++) {
        sums[i] += f.applyAsDouble(values[from[i] + k * step]);
      }
    }
    return sums;
  }

  /** Returns where a shape has each index of some axes, of which it may lack some; row-major. */
  private static int[] offsets(List<Dim> dims, Shape in) {
    int[] offsets = {0};
    for (Dim dim : dims) {
      int step = in.has(dim.axis()) ? stride(in, dim.axis()) : 0;
      int[] more = new int[Math.multiplyExact(offsets.length, dim.size())];
      for (int i = 0; i < more.length; i++) {
        more[i] = offsets[i / dim.size()] + i % dim.size() * step;
      }
      offsets = more;
    }
    return offsets;
  }

  private static int stride(Shape shape, Axis axis) {
    int stride = 1;
    for (int i = shape.indexOf(axis) + 1; i < shape.rank(); i++) {
      stride *= shape.dims().get(i).size();
    }
    return stride;
  }

  private static void requireAgreement(Shape left, Shape right) {
    for (Dim dim : left.dims()) {
      if (right.has(dim.axis()) && right.size(dim.axis()) != dim.size()) {
        throw new ShapeMismatchException(
            "shapes differ: "
                + left
                + " and "
                + right
                + " have axis "
                + dim.axis()
                + " in two sizes");
      }
    }
  }
}
