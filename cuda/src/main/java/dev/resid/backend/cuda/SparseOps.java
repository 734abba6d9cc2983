package dev.resid.backend.cuda;

import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.backend.cuda.ProductOps.Rows;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import java.util.Arrays;

/**
 * Products of which few entries are kept, and the largest entries of rows; see {@code sparse.cu}.
 * Products exist for some rows at a time; only kept pairs cross to the host.
 */
final class SparseOps {
  private static final long PRODUCT_BYTES = 256L << 20;

  private final ProductOps products;

  SparseOps(ProductOps products) {
    this.products = products;
  }

  /** Takes the products of some rows. */
  private interface Taking {
    void take(int firstRow, int rows, long y);
  }

  private void inParts(Call call, Tensor x, DeviceMatrix w, Taking taking) {
    int R = rows(x);
    if (R == 0) {
      return;
    }
    long from = call.in(x);
    long bytes = (long) Float.BYTES * Math.max(1, w.out);
    int wanted = (int) Math.max(1, Math.min(R, PRODUCT_BYTES / bytes));
    Call.Part part = call.part("rows of products", wanted, bytes);
    for (int r = 0; r < R; r += part.items()) {
      int count = Math.min(part.items(), R - r);
      products.multiply(
          count,
          Rows.of(from + (long) Float.BYTES * r * w.in, w.in),
          Rows.of(w.values.address(), w.out),
          Rows.of(part.address(), w.out));
      taking.take(r, count, part.address());
    }
  }

  SparseRows linearAbove(Call call, Tensor x, DeviceMatrix w, Tensor bias, Tensor threshold) {
    int R = rows(x);
    long biasAt = call.in(bias);
    long thresholdAt = call.in(threshold);
    long countsAt = call.bytes((long) Integer.BYTES * R);
    long[] starts = new long[R + 1];
    Pairs pairs = new Pairs();
    inParts(
        call,
        x,
        w,
        (first, rows, y) -> {
          call.launch("resid_count_above")
              .pointer(y)
              .pointer(biasAt)
              .pointer(thresholdAt)
              .number(w.out)
              .pointer(countsAt)
              .blocks(rows);
          int[] counts = new int[rows];
          call.transfers().fetch(countsAt, counts, 0, rows);
          long[] local = new long[rows + 1];
          for (int r = 0; r < rows; r++) {
            local[r + 1] = local[r] + counts[r];
            starts[first + r + 1] = starts[first] + local[r + 1];
          }
          int kept = Math.toIntExact(local[rows]);
          try (Call own = call.inner()) {
            long indices = own.bytes((long) Integer.BYTES * kept);
            long values = own.floats(kept);
            own.launch("resid_keep_above")
                .pointer(y)
                .pointer(biasAt)
                .pointer(thresholdAt)
                .number(w.out)
                .pointer(own.longs(local))
                .pointer(indices)
                .pointer(values)
                .blocks(rows);
            pairs.add(own, indices, values, kept);
          }
        });
    return pairs.rows(w.out, starts);
  }

  /** Kept pairs on the host. */
  private static final class Pairs {
    private int[] indices = new int[64];
    private float[] values = new float[64];
    private int count;

    void add(Call call, long indicesAt, long valuesAt, int kept) {
      int length = Math.addExact(count, kept);
      if (length > indices.length) {
        int room = (int) Math.min(Integer.MAX_VALUE - 8L, Math.max(length, 2L * indices.length));
        indices = Arrays.copyOf(indices, room);
        values = Arrays.copyOf(values, room);
      }
      call.transfers().fetch(indicesAt, indices, count, kept);
      call.transfers().fetch(valuesAt, values, count, kept);
      count = length;
    }

    SparseRows rows(int columns, long[] starts) {
      return new SparseRows(
          columns, starts, Arrays.copyOf(indices, count), Arrays.copyOf(values, count));
    }
  }

  SparseRows linearTopK(Call call, Tensor x, DeviceMatrix w, Tensor bias, Tensor scale, int k) {
    int R = rows(x);
    long[] starts = new long[R + 1];
    Arrays.setAll(starts, r -> (long) r * k);
    int[] indices = new int[Math.multiplyExact(R, k)];
    float[] values = new float[indices.length];
    if (k > 0) {
      long biasAt = call.in(bias);
      long scaleAt = call.in(scale);
      inParts(
          call,
          x,
          w,
          (first, rows, y) -> {
            try (Call own = call.inner()) {
              long indicesAt = own.bytes((long) Integer.BYTES * rows * k);
              long valuesAt = own.floats((long) rows * k);
              own.launch("resid_linear_top_k")
                  .pointer(y)
                  .pointer(biasAt)
                  .pointer(scaleAt)
                  .number(w.out)
                  .number(k)
                  .pointer(indicesAt)
                  .pointer(valuesAt)
                  .blocks(rows);
              own.transfers().fetch(indicesAt, indices, first * k, rows * k);
              own.transfers().fetch(valuesAt, values, first * k, rows * k);
            }
          });
    }
    return new SparseRows(w.out, starts, indices, values);
  }

  static void sparseLinear(Call call, SparseRows x, Tensor w, Tensor bias, Tensor out) {
    long indices = call.bytes((long) Integer.BYTES * x.count());
    long values = call.floats(x.count());
    call.transfers().send(x.indices(), x.count(), indices);
    call.transfers().send(x.values(), 0, x.count(), values);
    call.launch("resid_sparse_linear")
        .pointer(call.longs(x.starts()))
        .pointer(indices)
        .pointer(values)
        .pointer(call.in(w))
        .pointer(call.in(bias))
        .pointer(call.out("out", out))
        .number(columns(w))
        .blocks(x.rows());
  }

  static TopK topK(Call call, Tensor x, int k) {
    int R = rows(x);
    int[] indices = new int[Math.multiplyExact(R, k)];
    float[] values = new float[indices.length];
    if (indices.length > 0) {
      long bytes = (long) Integer.BYTES * indices.length;
      long indicesAt = call.bytes(bytes);
      long valuesAt = call.bytes(bytes);
      call.launch("resid_top_k")
          .pointer(call.in(x))
          .number(columns(x))
          .number(k)
          .pointer(call.bytes(bytes))
          .pointer(call.bytes(bytes))
          .pointer(indicesAt)
          .pointer(valuesAt)
          .blocks(R);
      call.transfers().fetch(indicesAt, indices, 0, indices.length);
      call.transfers().fetch(valuesAt, values, 0, values.length);
    }
    return new TopK(k, indices, values);
  }
}
