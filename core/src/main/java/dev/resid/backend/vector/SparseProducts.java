package dev.resid.backend.vector;

import dev.resid.backend.vector.BlockProduct.Start;
import dev.resid.tensor.SparseRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

// Products of which few entries are kept: the finished sums of a tile of rows with a group of
// columns are looked through while they are in the first-level cache, and only what is kept leaves
// it. An element is one chain over ascending terms plus its bias, wherever it is computed, so it
// has the bits of MatrixProduct.linear; and what is kept is exact, so it does not depend on how
// rows and columns are split into tasks.
//
// R rows, N columns.
final class SparseProducts {
  private static final int WIDTH = BlockProduct.WIDTH;

  // Keys that top-k keeps at a time for all rows: 64 MiB.
  private static final int MOST_KEYS = 1 << 23;
  private static final int DECODED_ROWS = 16;
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final int L = Lanes.L;

  private final Workers workers;
  private final FloatPool pool;

  SparseProducts(Workers workers, FloatPool pool) {
    this.workers = workers;
    this.pool = pool;
  }

  /** What looks through one row: n products from x[from] on, of columns from `column`. */
  @FunctionalInterface
  private interface RowScan {
    void scan(float[] x, int from, int n, int row, int column);
  }

  /** Multiplies the rows of a task with its columns and has every row of a group looked through. */
  private static void scan(
      Blocks blocks, int task, PackedRows a, PackedMatrix w, Scratch scratch, RowScan scan) {
    blocks.run(
        task,
        scratch,
        (row, count, column, n, own) ->
            BlockProduct.multiply(
                a,
                row,
                count,
                w.panels(column / MicroKernel.COLUMNS, 0),
                n,
                Start.ZERO,
                (first, rows, sums, from, ld) -> {
                  for (int r = 0; r < rows; r++) {
                    scan.scan(sums, from + r * ld, n, first + r, column);
                  }
                },
                own));
  }

  // ---- above a threshold

  /** Pairs in the order in which a task finds them, and how many each row of each tile has. */
  private static final class Found {
    final int[] counts;
    int[] indices = new int[256];
    float[] values = new float[256];
    int size;

    Found(int rowsOfTiles) {
      counts = new int[rowsOfTiles];
    }

    void reserve(int more) {
      if (indices.length - size < more) {
        int length = (int) Math.min(Integer.MAX_VALUE - 8L, 2L * size + more);
        if (length - size < more) {
          throw tooMany();
        }
        indices = Arrays.copyOf(indices, length);
        values = Arrays.copyOf(values, length);
      }
    }
  }

  private static IllegalArgumentException tooMany() {
    return new IllegalArgumentException(
        "more entries are kept than a host array holds; use fewer rows");
  }

  /** What was found in some of the rows, in an order of spans within chunks. */
  private record Part(int firstRow, Blocks blocks, Found[] found) {
    /** Returns the first row of a chunk, counted from the first row of all parts. */
    int row(int chunk) {
      return firstRow + chunk * blocks.chunkRows();
    }

    int rowCount(int chunk) {
      return Math.min(blocks.chunkRows(), blocks.rows() - chunk * blocks.chunkRows());
    }
  }

  /** Keeps y = x·w + bias where it exceeds its threshold or is NaN. */
  SparseRows linearAbove(float[] x, int rows, PackedMatrix w, float[] bias, float[] threshold) {
    List<Part> parts = new ArrayList<>();
    int slab = PackedRows.slab(w.in);
    for (int first = 0; first < rows; first += slab) {
      parts.add(findAbove(x, first, Math.min(slab, rows - first), w, bias, threshold));
    }
    return merge(rows, w.out, parts);
  }

  private Part findAbove(
      float[] x, int first, int rows, PackedMatrix w, float[] bias, float[] threshold) {
    PackedRows a = MatrixProduct.packRows(x, first, rows, w.in, workers, pool);
    Blocks blocks = Blocks.of(rows, w.in, w.out, workers.count());
    Found[] found = new Found[blocks.tasks()];
    workers.run(
        blocks.tasks(),
        (task, scratch) -> {
          int count = blocks.rowCount(task);
          int firstRow = blocks.row(task);
          int firstColumn = blocks.column(task);
          Found here = new Found(count * ((blocks.columnCount(task) + WIDTH - 1) / WIDTH));
          found[blocks.chunk(task) * blocks.spans() + blocks.span(task)] = here;
          RowScan scan =
              (products, from, n, row, column) -> {
                int before = here.size;
                keepAbove(products, from, n, bias, threshold, column, here);
                int group = (column - firstColumn) / WIDTH;
                here.counts[group * count + row - firstRow] = here.size - before;
              };
          scan(blocks, task, a, w, scratch, scan);
        });
    pool.give(a.tiles());
    return new Part(first, blocks, found);
  }

  private static void keepAbove(
      float[] x, int from, int n, float[] bias, float[] threshold, int column, Found found) {
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector y =
          FloatVector.fromArray(F, x, from + i).add(FloatVector.fromArray(F, bias, column + i));
      VectorMask<Float> dropped =
          y.compare(VectorOperators.LE, FloatVector.fromArray(F, threshold, column + i));
      if (!dropped.allTrue()) {
        y.intoArray(x, from + i);
        keep(x, from + i, ~dropped.toLong(), threshold, column + i, found);
      }
    }
    for (; i < n; i++) {
      float y = x[from + i] + bias[column + i];
      if (y > threshold[column + i] || Float.isNaN(y)) {
        found.reserve(1);
        found.indices[found.size] = column + i;
        found.values[found.size++] = y;
      }
    }
  }

  // A threshold of NaN drops nothing above, but nothing exceeds it either.
  private static void keep(
      float[] y, int from, long lanes, float[] threshold, int column, Found found) {
    found.reserve(L);
    long left = lanes & (-1L >>> (Long.SIZE - L));
    while (left != 0) {
      int lane = Long.numberOfTrailingZeros(left);
      float value = y[from + lane];
      if (value > threshold[column + lane] || Float.isNaN(value)) {
        found.indices[found.size] = column + lane;
        found.values[found.size++] = value;
      }
      left &= left - 1;
    }
  }

  /** Puts the pairs of all tasks into the order of rows. */
  private SparseRows merge(int rows, int columns, List<Part> parts) {
    long[] starts = new long[rows + 1];
    for (Part part : parts) {
      for (int i = 0; i < part.found().length; i++) {
        int chunk = i / part.blocks().spans();
        int[] counts = part.found()[i].counts;
        for (int c = 0; c < counts.length; c++) {
          starts[part.row(chunk) + c % part.rowCount(chunk) + 1] += counts[c];
        }
      }
    }
    for (int r = 0; r < rows; r++) {
      starts[r + 1] += starts[r];
    }
    if (starts[rows] > Integer.MAX_VALUE - 8) {
      throw tooMany();
    }
    int[] indices = new int[(int) starts[rows]];
    float[] values = new float[indices.length];
    for (Part part : parts) {
      workers.run(
          part.blocks().chunks(),
          (chunk, scratch) -> putInOrder(part, chunk, starts, indices, values));
    }
    return new SparseRows(columns, starts, indices, values);
  }

  private static void putInOrder(
      Part part, int chunk, long[] starts, int[] indices, float[] values) {
    int count = part.rowCount(chunk);
    int[] next = new int[count];
    Arrays.setAll(next, r -> (int) starts[part.row(chunk) + r]);
    int spans = part.blocks().spans();
    for (int span = 0; span < spans; span++) {
      Found from = part.found()[chunk * spans + span];
      int at = 0;
      for (int i = 0; i < from.counts.length; i++) {
        int n = from.counts[i];
        int r = i % count;
        for (int p = 0; p < n; p++) {
          indices[next[r]] = from.indices[at + p];
          values[next[r]++] = from.values[at + p];
        }
        at += n;
      }
    }
  }

  // ---- the k largest

  /** Keeps the k largest y = (x·w + bias)·scale of every row. */
  SparseRows linearTopK(float[] x, int rows, PackedMatrix w, float[] bias, float[] scale, int k) {
    long[] starts = new long[rows + 1];
    Arrays.setAll(starts, r -> (long) r * k);
    if (starts[rows] > Integer.MAX_VALUE - 8) {
      throw tooMany();
    }
    int[] indices = new int[(int) starts[rows]];
    float[] values = new float[indices.length];
    int spans = Blocks.of(rows, w.in, w.out, workers.count()).spans();
    int part = Packing.roundUp(MOST_KEYS / Math.max(1, spans * k) + 1, MicroKernel.ROWS);
    int step = Math.min(part, PackedRows.slab(w.in));
    for (int first = 0; first < rows && k > 0; first += step) {
      int count = Math.min(step, rows - first);
      LargestKeys[][] keys = largest(x, first, count, w, bias, scale, k);
      int firstOut = first * k;
      workers.run(
          count,
          (row, scratch) -> LargestKeys.merge(keys[row], k, indices, values, firstOut + row * k));
    }
    return new SparseRows(w.out, starts, indices, values);
  }

  // The k largest of each of `count` rows from `first` on, in each span of columns.
  private LargestKeys[][] largest(
      float[] x, int first, int count, PackedMatrix w, float[] bias, float[] scale, int k) {
    PackedRows a = MatrixProduct.packRows(x, first, count, w.in, workers, pool);
    Blocks blocks = Blocks.of(count, w.in, w.out, workers.count());
    LargestKeys[][] keys = new LargestKeys[count][blocks.spans()];
    workers.run(
        blocks.tasks(),
        (task, scratch) -> {
          int span = blocks.span(task);
          int firstRow = blocks.row(task);
          for (int r = 0; r < blocks.rowCount(task); r++) {
            keys[firstRow + r][span] = new LargestKeys(Math.min(k, blocks.columnCount(task)));
          }
          RowScan scan =
              (products, from, n, row, column) -> {
                finish(products, from, n, bias, scale, column);
                keys[row][span].offer(products, from, n, column);
              };
          scan(blocks, task, a, w, scratch, scan);
        });
    pool.give(a.tiles());
    return keys;
  }

  private static void finish(float[] x, int from, int n, float[] bias, float[] scale, int column) {
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector.fromArray(F, x, from + i)
          .add(FloatVector.fromArray(F, bias, column + i))
          .mul(FloatVector.fromArray(F, scale, column + i))
          .intoArray(x, from + i);
    }
    for (; i < n; i++) {
      x[from + i] = (x[from + i] + bias[column + i]) * scale[column + i];
    }
  }

  // ---- from few entries

  /** out[r, :] = Σ_j x[r, j]·w[j, :] + bias. */
  void sparseLinear(SparseRows x, float[] w, int width, float[] bias, float[] out) {
    int rows = x.rows();
    workers.run(
        (rows + DECODED_ROWS - 1) / DECODED_ROWS,
        (task, scratch) -> {
          int last = Math.min(rows, (task + 1) * DECODED_ROWS);
          for (int r = task * DECODED_ROWS; r < last; r++) {
            Arrays.fill(out, r * width, (r + 1) * width, 0f);
            int at = x.start(r);
            for (; at + 4 <= x.end(r); at += 4) {
              addFour(x.indices(), x.values(), at, w, width, out, r * width);
            }
            for (; at < x.end(r); at++) {
              Elementwise.addScaled(
                  x.values()[at], w, x.indices()[at] * width, out, r * width, width);
            }
            Elementwise.addInPlace(out, r * width, bias, 0, width);
          }
        });
  }

  // Four terms of a sum between one load and one store of it; the chain is the same.
  private static void addFour(
      int[] indices, float[] values, int at, float[] w, int width, float[] out, int to) {
    float v0 = values[at];
    float v1 = values[at + 1];
    float v2 = values[at + 2];
    float v3 = values[at + 3];
    int w0 = indices[at] * width;
    int w1 = indices[at + 1] * width;
    int w2 = indices[at + 2] * width;
    int w3 = indices[at + 3] * width;
    int c = 0;
    for (; c <= width - L; c += L) {
      FloatVector sum = FloatVector.fromArray(F, out, to + c);
      sum = FloatVector.fromArray(F, w, w0 + c).fma(FloatVector.broadcast(F, v0), sum);
      sum = FloatVector.fromArray(F, w, w1 + c).fma(FloatVector.broadcast(F, v1), sum);
      sum = FloatVector.fromArray(F, w, w2 + c).fma(FloatVector.broadcast(F, v2), sum);
      sum = FloatVector.fromArray(F, w, w3 + c).fma(FloatVector.broadcast(F, v3), sum);
      sum.intoArray(out, to + c);
    }
    for (; c < width; c++) {
      float sum = Math.fma(w[w0 + c], v0, out[to + c]);
      sum = Math.fma(w[w1 + c], v1, sum);
      sum = Math.fma(w[w2 + c], v2, sum);
      out[to + c] = Math.fma(w[w3 + c], v3, sum);
    }
  }
}
