package dev.resid.backend.vector;

import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.Activation;
import java.util.Arrays;

// Matrix products by the scheme of Goto and van de Geijn ("Anatomy of High-Performance Matrix
// Multiplication", 2008): the left operand is packed a block of rows and DEPTH terms at a time, so
// that it stays in the second-level cache, and a panel of the right operand of that depth stays in
// the first level while all tiles of the block pass over it.
//
// What is particular here: the sums of a tile are loaded from the output at the start of every
// block of the depth and stored at its end. So each output element is one chain of fused
// multiply-adds over its terms in order, in whichever tile, block or thread it is computed, and
// one row alone has the bits it has among thousands.
//
// R rows, K = in, N = out; M and N the sides of a weight gradient.
final class MatrixProduct {
  /** Terms of a block: a panel of them is 32 KiB with 512-bit vectors. */
  static final int DEPTH = 256;

  /** Rows of a block at most: with DEPTH terms 192 KiB. */
  private static final int BLOCK_ROWS = 192;

  // Columns of the right operand that are packed at a time where it is not a packed matrix.
  private static final int SHARED_COLUMNS = 3072;
  private static final int TASKS_PER_THREAD = 6;
  private static final int ROWS = MicroKernel.ROWS;
  private static final int COLUMNS = MicroKernel.COLUMNS;
  private static final int FEW = MicroKernel.FEW_ROWS;

  private final Workers workers;
  private final FloatPool pool;

  MatrixProduct(Workers workers, FloatPool pool) {
    this.workers = workers;
    this.pool = pool;
  }

  /** Packed right operand: where its panels begin and how far apart they are. */
  record Panels(float[] values, int from, int stride) {}

  /** Row-major output: index of its first element and distance of its rows. */
  record Target(float[] values, int from, int ld) {}

  /** How the outputs of a product are split into tasks; changes no result. */
  private record Split(int rows, int rowBlocks, int panels, int chunks) {
    static Split of(int rows, int panels, int threads) {
      int wanted = threads == 1 ? 1 : threads * TASKS_PER_THREAD;
      int tiles = (rows + ROWS - 1) / ROWS;
      int rowBlocks = (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
      int chunks = Math.min((panels + 3) / 4, (wanted + rowBlocks - 1) / rowBlocks);
      int blockTiles = (tiles + rowBlocks - 1) / rowBlocks;
      int chunkPanels = (panels + chunks - 1) / chunks;
      return new Split(
          blockTiles * ROWS,
          (tiles + blockTiles - 1) / blockTiles,
          chunkPanels,
          (panels + chunkPanels - 1) / chunkPanels);
    }

    int tasks() {
      return rowBlocks * chunks;
    }
  }

  /** out[r, j] = f(Σ_i x[r, i]·w[i, j] + bias[j]). */
  void linear(float[] x, int rows, PackedMatrix w, float[] bias, Activation f, float[] out) {
    if (rows <= FEW) {
      linearFewRows(x, rows, w, bias, f, out);
      return;
    }
    int in = w.in;
    int columns = w.out;
    Split split = Split.of(rows, w.panelCount(), workers.count());
    workers.run(
        split.tasks(),
        (task, scratch) -> {
          int row = task / split.chunks() * split.rows();
          int blockRows = Math.min(split.rows(), rows - row);
          int panel = task % split.chunks() * split.panels();
          int column = panel * COLUMNS;
          int blockColumns = Math.min(split.panels() * COLUMNS, columns - column);
          Target target = new Target(out, row * columns + column, columns);
          clear(target, blockRows, blockColumns);
          float[] a =
              scratch.floats(Use.ROWS, Packing.roundUp(blockRows, ROWS) * Math.min(in, DEPTH));
          for (int k = 0; k < in; k += DEPTH) {
            int depth = Math.min(DEPTH, in - k);
            Packing.rowTiles(x, row * in + k, in, blockRows, depth, a, 0, ROWS);
            Panels b = new Panels(w.panels, w.panelFrom(panel) + k * COLUMNS, in * COLUMNS);
            multiply(a, 0, blockRows, depth, b, blockColumns, target, scratch);
          }
          for (int r = 0; r < blockRows; r++) {
            int at = target.from() + r * columns;
            Elementwise.addInPlace(out, at, bias, column, blockColumns);
            Activations.apply(f, out, at, out, at, blockColumns, scratch);
          }
        });
  }

  // With few rows the time is that of reading the weights, so the rows of the tile are few too.
  private void linearFewRows(
      float[] x, int rows, PackedMatrix w, float[] bias, Activation f, float[] out) {
    int in = w.in;
    int columns = w.out;
    int panels = w.panelCount();
    int tasks = Math.min(panels, workers.count() * TASKS_PER_THREAD);
    float[] a = x;
    if (rows > 1) {
      a = new float[in * FEW];
      Packing.rows(x, 0, in, rows, in, a, 0, FEW);
    }
    float[] packed = a;
    workers.run(
        tasks,
        (task, scratch) -> {
          float[] tile = scratch.floats(Use.TILE, FEW * COLUMNS);
          int last = (int) ((long) panels * (task + 1) / tasks);
          for (int p = (int) ((long) panels * task / tasks); p < last; p++) {
            Arrays.fill(tile, 0, FEW * COLUMNS, 0f);
            if (rows == 1) {
              MicroKernel.rows1(packed, 0, w.panels, w.panelFrom(p), in, tile, 0, COLUMNS);
            } else {
              MicroKernel.rows4(packed, 0, w.panels, w.panelFrom(p), in, tile, 0, COLUMNS);
            }
            int width = w.columnsOf(p);
            for (int r = 0; r < rows; r++) {
              int at = r * columns + p * COLUMNS;
              System.arraycopy(tile, r * COLUMNS, out, at, width);
              Elementwise.addInPlace(out, at, bias, p * COLUMNS, width);
              Activations.apply(f, out, at, out, at, width, scratch);
            }
          }
        });
  }

  /** dX[r, i] = Σ_j dOut[r, j]·w[i, j]: the panels of w are transposed a block at a time. */
  void linearBackwardInput(float[] dOut, int rows, PackedMatrix w, float[] dX) {
    workers.run(
        (rows * w.in + (1 << 16) - 1) >> 16,
        (t, scratch) ->
            Arrays.fill(dX, t << 16, Math.min(rows * w.in, (t + 1) << 16), 0f));
    RightOperand transposed =
        (j, depth, i, width, to, toFrom) -> packTransposed(w, j, depth, i, width, to, toFrom);
    LeftOperand left =
        (row, lines, j, depth, to) ->
            Packing.rowTiles(dOut, row * w.out + j, w.out, lines, depth, to, 0, ROWS);
    product(left, rows, w.out, transposed, w.in, dX);
  }

  /** Adds Σ_r a[r, i]·b[r, j] to sum[i, j]. */
  void addOuterProducts(float[] a, float[] b, int rows, int m, int n, float[] sum) {
    RightOperand right =
        (r, depth, j, width, to, toFrom) ->
            Packing.columns(b, r * n + j, n, width, depth, to, toFrom, COLUMNS);
    LeftOperand left =
        (i, lines, r, depth, to) ->
            Packing.columnTiles(a, r * m + i, m, lines, depth, to, 0, ROWS);
    product(left, m, rows, right, n, sum);
  }

  @FunctionalInterface
  private interface LeftOperand {
    /** Packs lines of the left operand, `depth` terms from `term`, into tiles. */
    void pack(int line, int lines, int term, int depth, float[] to);
  }

  @FunctionalInterface
  private interface RightOperand {
    /** Packs one panel, `depth` terms from `term`, `width` columns from `column`. */
    void pack(int term, int depth, int column, int width, float[] to, int toFrom);
  }

  /** Adds a product of which neither operand is packed yet to c [lines, columns]. */
  private void product(
      LeftOperand left, int lines, int terms, RightOperand right, int columns, float[] c) {
    if (lines == 0 || terms == 0 || columns == 0) {
      return;
    }
    int sharedColumns = Math.min(Packing.roundUp(columns, COLUMNS), SHARED_COLUMNS);
    float[] shared = pool.take(sharedColumns * Math.min(DEPTH, terms));
    for (int column = 0; column < columns; column += sharedColumns) {
      int first = column;
      int width = Math.min(sharedColumns, columns - column);
      int panels = (width + COLUMNS - 1) / COLUMNS;
      Split split = Split.of(lines, panels, workers.count());
      for (int term = 0; term < terms; term += DEPTH) {
        int k = term;
        int depth = Math.min(DEPTH, terms - term);
        workers.run(
            panels,
            (p, scratch) ->
                right.pack(
                    k,
                    depth,
                    first + p * COLUMNS,
                    Math.min(COLUMNS, width - p * COLUMNS),
                    shared,
                    p * COLUMNS * depth));
        workers.run(
            split.tasks(),
            (task, scratch) -> {
              int line = task / split.chunks() * split.rows();
              int blockLines = Math.min(split.rows(), lines - line);
              int panel = task % split.chunks() * split.panels();
              int blockColumns = Math.min(split.panels() * COLUMNS, width - panel * COLUMNS);
              float[] a = scratch.floats(Use.ROWS, Packing.roundUp(blockLines, ROWS) * depth);
              left.pack(line, blockLines, k, depth, a);
              multiply(
                  a,
                  0,
                  blockLines,
                  depth,
                  new Panels(shared, panel * COLUMNS * depth, COLUMNS * depth),
                  blockColumns,
                  new Target(c, line * columns + first + panel * COLUMNS, columns),
                  scratch);
            });
      }
    }
    pool.give(shared);
  }

  // One panel of wᵀ: to[j, i] = w[i, j] for `depth` columns j and `width` rows i of w.
  private static void packTransposed(
      PackedMatrix w, int j, int depth, int i, int width, float[] to, int toFrom) {
    int done = 0;
    while (done < depth) {
      int panel = (j + done) / COLUMNS;
      int inPanel = (j + done) % COLUMNS;
      int count = Math.min(depth - done, COLUMNS - inPanel);
      int from = w.panelFrom(panel) + i * COLUMNS + inPanel;
      Packing.rows(
          w.panels, from, COLUMNS, width, count, to, toFrom + done * COLUMNS, COLUMNS);
      done += count;
    }
  }

  /**
   * Adds a packed block to c: c[r, j] += Σ_k a[r, k]·b[k, j] for `rows` rows and `columns` columns.
   */
  static void multiply(
      float[] a,
      int aFrom,
      int rows,
      int depth,
      Panels b,
      int columns,
      Target c,
      Scratch scratch) {
    float[] values = c.values();
    int ld = c.ld();
    for (int j = 0; j < columns; j += COLUMNS) {
      int bJ = b.from() + j / COLUMNS * b.stride();
      for (int r = 0; r < rows; r += ROWS) {
        int cRJ = c.from() + r * ld + j;
        if (r + ROWS <= rows && j + COLUMNS <= columns) {
          MicroKernel.tile(a, aFrom + r * depth, b.values(), bJ, depth, values, cRJ, ld);
        } else {
          int tileRows = Math.min(ROWS, rows - r);
          int tileColumns = Math.min(COLUMNS, columns - j);
          float[] tile = scratch.floats(Use.TILE, ROWS * COLUMNS);
          for (int t = 0; t < tileRows; t++) {
            System.arraycopy(values, cRJ + t * ld, tile, t * COLUMNS, tileColumns);
          }
          MicroKernel.tile(a, aFrom + r * depth, b.values(), bJ, depth, tile, 0, COLUMNS);
          for (int t = 0; t < tileRows; t++) {
            System.arraycopy(tile, t * COLUMNS, values, cRJ + t * ld, tileColumns);
          }
        }
      }
    }
  }

  /** Sets `rows` rows of `columns` elements to zero. */
  static void clear(Target c, int rows, int columns) {
    for (int r = 0; r < rows; r++) {
      int from = c.from() + r * c.ld();
      Arrays.fill(c.values(), from, from + columns, 0f);
    }
  }
}
