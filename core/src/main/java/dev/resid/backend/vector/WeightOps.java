package dev.resid.backend.vector;

import static dev.resid.backend.vector.Operands.in;
import static dev.resid.backend.vector.Operands.out;
import static dev.resid.backend.vector.Operands.packed;
import static dev.resid.tensor.OperandChecks.requireIndices;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Dim;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Packed weights, and rows and columns of tables: checks operands and copies. */
final class WeightOps {
  private final Workers workers;
  private final ColumnKernels columns;

  WeightOps(Workers workers, ColumnKernels columns) {
    this.workers = workers;
    this.columns = columns;
  }

  Matrix pack(Tensor w) {
    PackedMatrix.requireMatrix(w);
    PackedMatrix matrix = new PackedMatrix(w.shape());
    matrix.fill(w, workers);
    return matrix;
  }

  Matrix packTransposed(Tensor w) {
    PackedMatrix.requireMatrix(w);
    PackedMatrix matrix = new PackedMatrix(reversed(w.shape()));
    matrix.fillTransposed(w, workers);
    return matrix;
  }

  void repack(Tensor w, Matrix target) {
    PackedMatrix matrix = packed(target);
    requireSameSizes(w.shape(), matrix.shape());
    matrix.fill(w, workers);
  }

  void repackTransposed(Tensor w, Matrix target) {
    PackedMatrix matrix = packed(target);
    requireSameSizes(reversed(w.shape()), matrix.shape());
    matrix.fillTransposed(w, workers);
  }

  void gatherRows(Tensor table, int[] ids, Tensor out) {
    int width = table.shape().last();
    requireRows("out", out, ids.length, width);
    requireIndices("ids", ids, ids.length, 0, rows(table));
    float[] to = out(out);
    for (int r = 0; r < ids.length; r++) {
      table.storage().read((long) ids[r] * width, to, r * width, width);
    }
  }

  void gatherColumns(Matrix w, int[] ids, Tensor out) {
    PackedMatrix matrix = packed(w);
    requireRows("out", out, ids.length, matrix.in);
    requireIndices("ids", ids, ids.length, 0, matrix.out);
    float[] to = out(out);
    workers.run(ids.length, (r, scratch) -> matrix.readColumn(ids[r], to, r * matrix.in));
  }

  void scatterAddRows(Tensor rows, int[] ids, Tensor table) {
    int width = table.shape().last();
    requireRows("rows", rows, ids.length, width);
    requireIndices("ids", ids, ids.length, 0, rows(table));
    columns.scatterAddRows(in(rows), ids, width, out(table));
  }

  private static Shape reversed(Shape shape) {
    List<Dim> dims = new ArrayList<>(shape.dims());
    Collections.reverse(dims);
    return new Shape(dims);
  }

  private static void requireSameSizes(Shape found, Shape expected) {
    if (!Arrays.equals(found.sizes(), expected.sizes())) {
      throw new ShapeMismatchException(
          "the matrix to overwrite is " + expected + ", the new values are " + found);
    }
  }
}
