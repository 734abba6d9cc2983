package dev.resid.backend.scalar;

import dev.resid.tensor.Matrix;
import dev.resid.tensor.OperandChecks;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;

/** A weight matrix kept row-major: element (i, j) is {@code values[i * out + j]}. */
final class ScalarMatrix implements Matrix {
  /** Rows of a transposed source that are read and spread at a time. */
  private static final int TRANSPOSED_ROWS = 64;

  private final Shape shape;
  final int in;
  final int out;
  final float[] values;

  private ScalarMatrix(Shape shape) {
    this.shape = shape;
    this.in = shape.dims().get(0).size();
    this.out = shape.dims().get(1).size();
    this.values = new float[Math.multiplyExact(in, out)];
  }

  static ScalarMatrix of(Tensor w) {
    requireRank(w);
    ScalarMatrix matrix = new ScalarMatrix(w.shape());
    matrix.fill(w);
    return matrix;
  }

  static ScalarMatrix ofTransposed(Tensor w) {
    requireRank(w);
    ScalarMatrix matrix =
        new ScalarMatrix(Shape.of(w.shape().dims().get(1), w.shape().dims().get(0)));
    matrix.fillTransposed(w);
    return matrix;
  }

  void fill(Tensor w) {
    requireSizes(w, in, out);
    w.storage().read(0, values, 0, values.length);
  }

  void fillTransposed(Tensor w) {
    requireSizes(w, out, in);
    float[] part = new float[Math.multiplyExact(Math.min(TRANSPOSED_ROWS, out), in)];
    for (int from = 0; from < out; from += TRANSPOSED_ROWS) {
      int rows = Math.min(TRANSPOSED_ROWS, out - from);
      w.storage().read((long) from * in, part, 0, rows * in);
      for (int i = 0; i < in; i++) {
        for (int j = 0; j < rows; j++) {
          values[i * out + from + j] = part[j * in + i];
        }
      }
    }
  }

  @Override
  public Shape shape() {
    return shape;
  }

  @Override
  public Tensor toTensor() {
    return Tensor.of(shape, values);
  }

  @Override
  public long bytes() {
    return (long) values.length * Float.BYTES;
  }

  private static void requireRank(Tensor w) {
    if (w.shape().rank() != 2) {
      throw new ShapeMismatchException("a matrix is made of two axes, found " + w.shape());
    }
  }

  private static void requireSizes(Tensor w, int rows, int columns) {
    requireRank(w);
    OperandChecks.requireRows("w", w, rows, columns);
  }
}
