package dev.resid.backend.vector;

import dev.resid.backend.vector.BlockProduct.Bias;
import dev.resid.backend.vector.BlockProduct.Panels;
import dev.resid.backend.vector.BlockProduct.Start;
import dev.resid.backend.vector.BlockProduct.Target;
import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.SparseRows;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

// Products of which few entries are kept: a block of rows is multiplied with TILE columns of the
// weights at a time, and the tile is looked through while it is in the second-level cache. Only
// what is kept leaves it. An element is one chain over ascending terms plus its bias, wherever it
// is
// computed, so it has the bits of MatrixProduct.linear; and what is kept is exact, so it does not
// depend on how rows and columns are split into tasks.
//
// R rows, N columns.
final class SparseProducts {
  private static final int TILE = 512;

  // Rows of a tile lie so far apart that they fall into different sets of the first-level cache.
  private static final int LD = TILE + 16;
  private static final int BLOCK_ROWS = 192;
  private static final int TASKS_PER_THREAD = 8;

  // Keys that top-k keeps at a time for all rows: 64 MiB.
  private static final int MOST_KEYS = 1 << 23;
  private static final int DECODED_ROWS = 16;
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final int L = Lanes.L;

  private final Workers workers;

  SparseProducts(Workers workers) {
    this.workers = workers;
  }

  /** How rows and tiles are split into tasks; changes no result. */
  private record Split(int rows, int blockRows, int blocks, int tiles, int chunkTiles, int chunks) {
    static Split of(int rows, int columns, int threads) {
      int tiles = (columns + TILE - 1) / TILE;
      int wanted = threads == 1 ? 1 : threads * TASKS_PER_THREAD;
      int fewest = Math.max(1, (rows + BLOCK_ROWS - 1) / BLOCK_ROWS);
      int blockRows = Packing.roundUp(Math.max(1, (rows + fewest - 1) / fewest), MicroKernel.ROWS);
      int blocks = (rows + blockRows - 1) / blockRows;
      int chunks = Math.clamp((wanted + blocks - 1) / Math.max(1, blocks), 1, Math.max(1, tiles));
      int chunkTiles = (tiles + chunks - 1) / chunks;
      return new Split(
          rows,
          blockRows,
          blocks,
          tiles,
          chunkTiles,
          chunkTiles == 0 ? 0 : (tiles + chunkTiles - 1) / chunkTiles);
    }

    int tasks() {
      return blocks * chunks;
    }

    int firstRow(int task) {
      return task / chunks * blockRows;
    }

    int rowCount(int task) {
      return Math.min(blockRows, rows - firstRow(task));
    }

    int firstTile(int task) {
      return task % chunks * chunkTiles;
    }

    int lastTile(int task) {
      return Math.min(tiles, firstTile(task) + chunkTiles);
    }
  }

  /** What looks through one row of a tile: n products from x[from] on, of columns from `column`. */
  @FunctionalInterface
  private interface RowScan {
    void scan(float[] x, int from, int n, int row, int column);
  }

  /**
   * Multiplies the rows of a task with its tiles and has every row of every tile looked through.
   */
  private static void tiles(
      Split split, int task, float[] x, int xFrom, PackedMatrix w, Scratch scratch, RowScan scan) {
    int row = split.firstRow(task);
    int count = split.rowCount(task);
    float[] a = BlockProduct.packRows(x, xFrom + row * w.in, w.in, count, w.in, scratch);
    float[] products = scratch.floats(Use.LOGITS, BLOCK_ROWS * LD);
    for (int tile = split.firstTile(task); tile < split.lastTile(task); tile++) {
      int column = tile * TILE;
      int n = Math.min(TILE, w.out - column);
      Panels panels =
          new Panels(
              w.panels, w.panelFrom(column / MicroKernel.COLUMNS), w.in * MicroKernel.COLUMNS);
      Target target = new Target(products, 0, LD);
      BlockProduct.multiply(a, count, w.in, panels, n, Start.ZERO, Bias.NONE, target, scratch);
      for (int r = 0; r < count; r++) {
        scan.scan(products, r * LD, n, r, column);
      }
    }
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

  /** Keeps y = x·w + bias where it exceeds its threshold or is NaN. */
  SparseRows linearAbove(float[] x, int rows, PackedMatrix w, float[] bias, float[] threshold) {
    Split split = Split.of(rows, w.out, workers.count());
    Found[] found = new Found[split.tasks()];
    workers.run(
        split.tasks(),
        (task, scratch) -> {
          int count = split.rowCount(task);
          int firstTile = split.firstTile(task);
          Found here = new Found(count * (split.lastTile(task) - firstTile));
          found[task] = here;
          RowScan scan =
              (products, from, n, row, column) -> {
                int before = here.size;
                keepAbove(products, from, n, bias, threshold, column, here);
                here.counts[(column / TILE - firstTile) * count + row] = here.size - before;
              };
          tiles(split, task, x, 0, w, scratch, scan);
        });
    return merge(split, w.out, found);
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
  private SparseRows merge(Split split, int columns, Found[] found) {
    long[] starts = new long[split.rows() + 1];
    for (int task = 0; task < found.length; task++) {
      int first = split.firstRow(task);
      int count = split.rowCount(task);
      int[] counts = found[task].counts;
      for (int i = 0; i < counts.length; i++) {
        starts[first + i % count + 1] += counts[i];
      }
    }
    for (int r = 0; r < split.rows(); r++) {
      starts[r + 1] += starts[r];
    }
    if (starts[split.rows()] > Integer.MAX_VALUE - 8) {
      throw tooMany();
    }
    int[] indices = new int[(int) starts[split.rows()]];
    float[] values = new float[indices.length];
    workers.run(
        split.chunks() == 0 ? 0 : split.blocks(),
        (block, scratch) -> {
          int first = block * split.blockRows();
          int count = split.rowCount(block * split.chunks());
          int[] next = new int[count];
          Arrays.setAll(next, r -> (int) starts[first + r]);
          for (int chunk = 0; chunk < split.chunks(); chunk++) {
            Found from = found[block * split.chunks() + chunk];
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
        });
    return new SparseRows(columns, starts, indices, values);
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
    int chunks = Split.of(rows, w.out, workers.count()).chunks();
    int part = Math.max(BLOCK_ROWS, MOST_KEYS / Math.max(1, chunks * k));
    for (int first = 0; first < rows && k > 0; first += part) {
      int count = Math.min(part, rows - first);
      Split split = Split.of(count, w.out, workers.count());
      LargestKeys[] keys = new LargestKeys[count * split.chunks()];
      int xFrom = first * w.in;
      workers.run(
          split.tasks(),
          (task, scratch) -> {
            int chunk = task % split.chunks();
            int row = split.firstRow(task);
            int columns = (split.lastTile(task) - split.firstTile(task)) * TILE;
            for (int r = 0; r < split.rowCount(task); r++) {
              keys[(row + r) * split.chunks() + chunk] = new LargestKeys(Math.min(k, columns));
            }
            RowScan scan =
                (products, from, n, r, column) -> {
                  finish(products, from, n, bias, scale, column);
                  keys[(row + r) * split.chunks() + chunk].offer(products, from, n, column);
                };
            tiles(split, task, x, xFrom, w, scratch, scan);
          });
      int firstOut = first * k;
      workers.run(
          count,
          (row, scratch) ->
              LargestKeys.merge(
                  Arrays.copyOfRange(keys, row * split.chunks(), (row + 1) * split.chunks()),
                  k,
                  indices,
                  values,
                  firstOut + row * k));
    }
    return new SparseRows(w.out, starts, indices, values);
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
