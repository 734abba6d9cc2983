package dev.resid.backend.cuda;

import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Tensor;

/** Layer norms, sums over rows and columns, and rows picked by number. See {@code rows.cu}. */
final class RowOps {
  private static final int PART = 64; // RESID_PART of rows.cu
  private static final int SQUARES = 8192;

  private RowOps() {}

  static void layerNormParameters(
      Call call, Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta) {
    int R = rows(x);
    int C = columns(x);
    long gradient = call.in(dOut);
    long from = call.in(x);
    long scales = call.in(scale);
    long gamma = call.inOut("dGamma", dGamma);
    long beta = call.inOut("dBeta", dBeta);
    long means = call.doubles(R);
    long parts = call.doubles((long) parts(R) * C);
    call.launch("resid_row_means").pointer(from).pointer(means).number((long) R).number(C).warps(R);
    if (R > 0) {
      call.launch("resid_column_sums_normalized")
          .pointer(gradient)
          .pointer(from)
          .pointer(scales)
          .pointer(means)
          .pointer(parts)
          .number((long) R)
          .number(C)
          .grid(parts(R), groups(C));
    }
    addParts(call, parts, R, gamma, C);
    columnSums(call, gradient, R, C, parts);
    addParts(call, parts, R, beta, C);
  }

  static void addColumnSums(Call call, Tensor x, Tensor sum) {
    int R = rows(x);
    int C = columns(x);
    long from = call.in(x);
    long to = call.inOut("sum", sum);
    long parts = call.doubles((long) parts(R) * C);
    columnSums(call, from, R, C, parts);
    addParts(call, parts, R, to, C);
  }

  private static void columnSums(Call call, long x, int R, int C, long parts) {
    if (R > 0) {
      call.launch("resid_column_sums")
          .pointer(x)
          .pointer(parts)
          .number((long) R)
          .number(C)
          .grid(parts(R), groups(C));
    }
  }

  private static void addParts(Call call, long parts, int R, long sums, int C) {
    if (R > 0) {
      call.launch("resid_add_parts")
          .pointer(parts)
          .number(parts(R))
          .pointer(sums)
          .number(C)
          .grid(groups(C), 1);
    }
  }

  private static int parts(int R) {
    return (R + PART - 1) / PART;
  }

  private static int groups(int C) {
    return (C + Kernels.THREADS - 1) / Kernels.THREADS;
  }

  static void scatterAddRows(Call call, Tensor rows, int[] ids, Tensor table) {
    // Rows of the same number after one another, in their order: number first, then place.
    long[] keys = new long[ids.length];
    for (int r = 0; r < ids.length; r++) {
      keys[r] = (long) ids[r] << 32 | r;
    }
    java.util.Arrays.sort(keys);
    int[] order = new int[ids.length];
    int[] starts = new int[ids.length + 1];
    int[] targets = new int[ids.length];
    int groups = 0;
    for (int i = 0; i < keys.length; i++) {
      order[i] = (int) keys[i];
      int id = (int) (keys[i] >> 32);
      if (i == 0 || id != targets[groups - 1]) {
        starts[groups] = i;
        targets[groups++] = id;
      }
    }
    starts[groups] = keys.length;
    long from = call.in(rows);
    long to = call.inOut("table", table);
    call.launch("resid_scatter_add_rows")
        .pointer(from)
        .pointer(call.ints(order))
        .pointer(call.ints(starts))
        .pointer(call.ints(targets))
        .pointer(to)
        .number(columns(table))
        .blocks(groups);
  }

  static double[] l2Distance(Call call, Tensor a, Tensor b) {
    int R = rows(a);
    long distances = call.doubles(R);
    call.launch("resid_l2_distance")
        .pointer(call.in(a))
        .pointer(call.in(b))
        .number((long) R)
        .pointer(distances)
        .number((long) R)
        .number(columns(a))
        .warps(R);
    return call.fetchDoubles(distances, R);
  }

  static double sumOfSquares(Call call, Tensor x) {
    int count = Math.toIntExact((x.elements() + SQUARES - 1) / SQUARES);
    long parts = call.doubles(count);
    call.launch("resid_sum_of_squares")
        .pointer(call.in(x))
        .pointer(parts)
        .number(x.elements())
        .blocks(count);
    double sum = 0;
    for (double part : call.fetchDoubles(parts, count)) {
      sum += part;
    }
    return sum;
  }
}
