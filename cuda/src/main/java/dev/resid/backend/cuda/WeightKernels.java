package dev.resid.backend.cuda;

import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.requireIndices;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Storage;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Weight matrices on a device, and rows and columns of them picked by number. */
final class WeightKernels {
  private static final int TRANSPOSED_FLOATS = 1 << 22;

  private final Calls calls;
  private final Device device;

  WeightKernels(Calls calls, Device device) {
    this.calls = calls;
    this.device = device;
  }

  Matrix pack(Tensor w) {
    DeviceMatrix.requireMatrix(w);
    return calls.get(
        call -> {
          DeviceMatrix matrix = new DeviceMatrix(device, w.shape());
          call.copy(w, matrix.values.address());
          return matrix;
        });
  }

  Matrix packTransposed(Tensor w) {
    DeviceMatrix.requireMatrix(w);
    return calls.get(
        call -> {
          DeviceMatrix matrix = new DeviceMatrix(device, reversed(w.shape()));
          fillTransposed(call, w, matrix);
          return matrix;
        });
  }

  void repack(Tensor w, Matrix target) {
    calls.run(
        call -> {
          DeviceMatrix matrix = call.matrix(target);
          Operands.requireSameSizes(w.shape(), matrix.shape());
          call.copy(w, matrix.values.address());
        });
  }

  void repackTransposed(Tensor w, Matrix target) {
    calls.run(
        call -> {
          DeviceMatrix matrix = call.matrix(target);
          Operands.requireSameSizes(reversed(w.shape()), matrix.shape());
          fillTransposed(call, w, matrix);
        });
  }

  private static void fillTransposed(Call call, Tensor w, DeviceMatrix matrix) {
    if (matrix.in == 0 || matrix.out == 0) {
      return;
    }
    if (w.storage() instanceof DeviceStorage) {
      spread(call, call.in(w), 0, matrix.out, matrix);
      return;
    }
    int step = Math.clamp(TRANSPOSED_FLOATS / matrix.in, 1, matrix.out);
    float[] part = new float[Math.multiplyExact(step, matrix.in)];
    long at = call.floats(part.length);
    Storage from = w.storage();
    for (int first = 0; first < matrix.out; first += step) {
      int rows = Math.min(step, matrix.out - first);
      from.read((long) first * matrix.in, part, 0, rows * matrix.in);
      call.transfers().send(part, 0, rows * matrix.in, at);
      spread(call, at, first, rows, matrix);
    }
  }

  private static void spread(Call call, long part, int first, int rows, DeviceMatrix matrix) {
    call.launch("resid_spread_columns")
        .pointer(part)
        .number(rows)
        .number(matrix.in)
        .pointer(matrix.values.address())
        .number(matrix.out)
        .number(first)
        .overElements((long) rows * matrix.in);
  }

  private static Shape reversed(Shape shape) {
    List<dev.resid.tensor.Dim> dims = new ArrayList<>(shape.dims());
    Collections.reverse(dims);
    return new Shape(dims);
  }

  void gatherRows(Tensor table, int[] ids, Tensor out) {
    int C = columns(table);
    requireRows("out", out, ids.length, C);
    requireIndices("ids", ids, ids.length, 0, rows(table));
    calls.run(
        call ->
            call.launch("resid_gather_rows")
                .pointer(call.in(table))
                .pointer(call.ints(ids))
                .pointer(call.out("out", out))
                .number((long) ids.length * C)
                .number(C)
                .overElements((long) ids.length * C));
  }

  void gatherColumns(Matrix w, int[] ids, Tensor out) {
    calls.run(
        call -> {
          DeviceMatrix matrix = call.matrix(w);
          requireRows("out", out, ids.length, matrix.in);
          requireIndices("ids", ids, ids.length, 0, matrix.out);
          call.launch("resid_gather_columns")
              .pointer(matrix.values.address())
              .number(matrix.out)
              .pointer(call.ints(ids))
              .pointer(call.out("out", out))
              .number((long) ids.length * matrix.in)
              .number(matrix.in)
              .overElements((long) ids.length * matrix.in);
        });
  }

  void scatterAddRows(Tensor rows, int[] ids, Tensor table) {
    requireRows("rows", rows, ids.length, columns(table));
    requireIndices("ids", ids, ids.length, 0, rows(table));
    calls.run(call -> RowOps.scatterAddRows(call, rows, ids, table));
  }
}
