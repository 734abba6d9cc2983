package dev.resid.backend.vector;

import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.Activation;
import java.util.Arrays;

// Matrix products by the scheme of Goto and van de Geijn ("Anatomy of High-Performance Matrix
// Multiplication", 2008): a block of rows of the left operand is packed and stays in the
// second-level
// cache, while the panels of the right operand pass by; of a panel, DEPTH terms at a time stay in
// the first level while all tiles of the block use them.
//
// What is particular here: the sums of a tile are loaded from the output at the start of every
// DEPTH terms and stored at their end. So each output element is one chain of fused multiply-adds
// over its terms in order, in whichever tile, block or thread it is computed, and one row alone has
// the bits it has among thousands. All terms of a panel come before the next panel, so that its
// outputs are still in the first level when they are loaded again.
//
// R rows, K = in, N = out; M and N the sides of a weight gradient.
final class MatrixProduct {
  /** Terms of a part of a panel: 32 KiB with 512-bit vectors. */
  static final int DEPTH = 256;

  // Terms of a packed block of rows, a multiple of DEPTH.
  private static final int BLOCK_DEPTH = 1024;

  // Rows of a block at most: with BLOCK_DEPTH terms 768 KiB.
  private static final int BLOCK_ROWS = 192;

  // Panels between which bias and activation are applied, while the outputs are still near.
  private static final int GROUP_PANELS = 16;

  // Columns of the right operand that are packed at a time where it is not a packed matrix.
  private static final int SHARED_COLUMNS = 3072;
  private static final int TASKS_PER_THREAD = 8;
  private static final int SMALLEST_TASK_TILES = 6;
  private static final int ROWS = MicroKernel.ROWS;
  private static final int COLUMNS = MicroKernel.COLUMNS;
  private static final int SMALL = MicroKernel.SMALL_ROWS;

  // Up to here reading the weights takes longer than multiplying with them.
  private static final int FEW = 2 * SMALL;

  private final Workers workers;
  private final FloatPool pool;

  MatrixProduct(Workers workers, FloatPool pool) {
    this.workers = workers;
    this.pool = pool;
  }

  /** Packed right operand: where its panels begin and how far apart they are. */
  record Panels(float[] values, int from, int stride) {}

  /** Row-major output: index of its first element and distance of its rows. */
  record Target(float[] values, int from, int ld) {
    /** Returns the part that begins at a row and a column. */
    Target part(int row, int column) {
      return new Target(values, from + row * ld + column, ld);
    }
  }

  /** How the outputs of a product are split into tasks; changes no result. */
  private record Split(int rows, int rowBlocks, int panels, int chunks) {
    static Split of(int rows, int panels, int threads) {
      int wanted = threads == 1 ? 1 : threads * TASKS_PER_THREAD;
      int tiles = (rows + ROWS - 1) / ROWS;
      int fewest = (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
      int rowBlocks = Math.max(fewest, Math.min(wanted, tiles / SMALLEST_TASK_TILES));
      int chunks = Math.clamp(wanted / rowBlocks, 1, (panels + 3) / 4);
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
          int count = Math.min(split.rows(), rows - row);
          int first = task % split.chunks() * split.panels();
          int last = Math.min(first + split.panels(), w.panelCount());
          for (int k = 0; k < in; k += BLOCK_DEPTH) {
            int terms = Math.min(BLOCK_DEPTH, in - k);
            float[] a = packRows(x, row * in + k, in, count, terms, scratch);
            for (int panel = first; panel < last; panel += GROUP_PANELS) {
              int column = panel * COLUMNS;
              int end = Math.min(columns, Math.min(last, panel + GROUP_PANELS) * COLUMNS);
              Target c = new Target(out, row * columns + column, columns);
              Panels b = new Panels(w.panels, w.panelFrom(panel) + k * COLUMNS, in * COLUMNS);
              multiply(
                  a, count, terms, b, end - column, k == 0 ? Start.ZERO : Start.OUTPUT, c, scratch);
              if (k + terms == in) {
                finish(c, count, bias, column, end - column, f, scratch);
              }
            }
          }
        });
  }

  private static void finish(
      Target c, int rows, float[] bias, int column, int n, Activation f, Scratch scratch) {
    for (int r = 0; r < rows; r++) {
      int at = c.from() + r * c.ld();
      Elementwise.addInPlace(c.values(), at, bias, column, n);
      Activations.apply(f, c.values(), at, c.values(), at, n, scratch);
    }
  }

  /** Packs rows into tiles, DEPTH terms of all of them after the other; the result is ROWS. */
  static float[] packRows(float[] x, int from, int ld, int rows, int terms, Scratch scratch) {
    int padded = Packing.roundUp(rows, ROWS);
    float[] to = scratch.floats(Use.ROWS, padded * terms);
    for (int k = 0; k < terms; k += DEPTH) {
      int depth = Math.min(DEPTH, terms - k);
      Packing.rowTiles(x, from + k, ld, rows, depth, to, padded * k, ROWS);
    }
    return to;
  }

  // With few rows the time is that of reading the weights: each panel is read once from memory, by
  // the kernel of the first rows, which has the fewest instructions between two reads.
  private void linearFewRows(
      float[] x, int rows, PackedMatrix w, float[] bias, Activation f, float[] out) {
    int in = w.in;
    int columns = w.out;
    int panels = w.panelCount();
    int tasks = Math.min(panels, workers.count() * TASKS_PER_THREAD);
    float[] packed = x;
    if (rows > 1) {
      packed = pool.take(in * Packing.roundUp(rows, SMALL));
      Packing.rowTiles(x, 0, in, rows, in, packed, 0, SMALL);
    }
    float[] a = packed;
    workers.run(
        tasks,
        (task, scratch) -> {
          float[] tile = scratch.floats(Use.TILE, SMALL * COLUMNS);
          int last = (int) ((long) panels * (task + 1) / tasks);
          for (int p = (int) ((long) panels * task / tasks); p < last; p++) {
            int width = w.columnsOf(p);
            for (int row = 0; row < rows; row += SMALL) {
              int count = Math.min(SMALL, rows - row);
              Arrays.fill(tile, 0, SMALL * COLUMNS, 0f);
              if (rows == 1) {
                MicroKernel.rows1(a, 0, w.panels, w.panelFrom(p), in, tile, 0, COLUMNS);
              } else {
                MicroKernel.rows4(a, row * in, w.panels, w.panelFrom(p), in, tile, 0, COLUMNS);
              }
              Target c = new Target(out, row * columns + p * COLUMNS, columns);
              for (int r = 0; r < count; r++) {
                System.arraycopy(tile, r * COLUMNS, out, c.from() + r * columns, width);
              }
              finish(c, count, bias, p * COLUMNS, width, f, scratch);
            }
          }
        });
    if (rows > 1) {
      pool.give(a);
    }
  }

  /** dX[r, i] = Σ_j dOut[r, j]·w[i, j]: the panels of w are transposed a block at a time. */
  void linearBackwardInput(float[] dOut, int rows, PackedMatrix w, float[] dX) {
    RightOperand transposed =
        (j, depth, i, width, to, toFrom) -> packTransposed(w, j, depth, i, width, to, toFrom);
    LeftOperand left =
        (row, lines, j, depth, to) ->
            Packing.rowTiles(dOut, row * w.out + j, w.out, lines, depth, to, 0, ROWS);
    product(left, rows, w.out, transposed, w.in, Start.ZERO, dX);
  }

  /** Adds Σ_r a[r, i]·b[r, j] to sum[i, j]. */
  void addOuterProducts(float[] a, float[] b, int rows, int m, int n, float[] sum) {
    RightOperand right =
        (r, depth, j, width, to, toFrom) ->
            Packing.columns(b, r * n + j, n, width, depth, to, toFrom, COLUMNS);
    LeftOperand left =
        (i, lines, r, depth, to) -> Packing.columnTiles(a, r * m + i, m, lines, depth, to, 0, ROWS);
    product(left, m, rows, right, n, Start.OUTPUT, sum);
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

  /** Computes a product of which neither operand is packed yet into c [lines, columns]. */
  private void product(
      LeftOperand left,
      int lines,
      int terms,
      RightOperand right,
      int columns,
      Start start,
      float[] c) {
    if (lines == 0 || terms == 0 || columns == 0) {
      if (start == Start.ZERO) {
        Arrays.fill(c, 0, lines * columns, 0f);
      }
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
        Start begin = term == 0 ? start : Start.OUTPUT;
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
                  blockLines,
                  depth,
                  new Panels(shared, panel * COLUMNS * depth, COLUMNS * depth),
                  blockColumns,
                  begin,
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
      Packing.rows(w.panels, from, COLUMNS, width, count, to, toFrom + done * COLUMNS, COLUMNS);
      done += count;
    }
  }

  /** What a product begins its sums with. */
  enum Start {
    /** Zero: the output is overwritten. */
    ZERO,
    /** What the output holds: the product is added. */
    OUTPUT
  }

  /**
   * Puts start[r, j] + Σ_k a[r, k]·b[k, j] into c[r, j] for `rows` rows and `columns` columns.
   *
   * @param a tiles, DEPTH terms of all rows after the other, as {@link #packRows} makes them
   */
  static void multiply(
      float[] a,
      int rows,
      int terms,
      Panels b,
      int columns,
      Start start,
      Target c,
      Scratch scratch) {
    int padded = Packing.roundUp(rows, ROWS);
    for (int j = 0; j < columns; j += COLUMNS) {
      int bJ = b.from() + j / COLUMNS * b.stride();
      for (int k = 0; k < terms; k += DEPTH) {
        int depth = Math.min(DEPTH, terms - k);
        int aK = padded * k;
        int bKJ = bJ + k * COLUMNS;
        Start here = k == 0 ? start : Start.OUTPUT;
        int whole = j + COLUMNS <= columns ? rows - rows % ROWS : 0;
        wholeTiles(a, aK, whole, b.values(), bKJ, depth, here, c.part(0, j));
        for (int r = whole; r < rows; r += ROWS) {
          int height = Math.min(ROWS, rows - r);
          int width = Math.min(COLUMNS, columns - j);
          Target part = c.part(r, j);
          edge(a, aK + r * depth, b.values(), bKJ, depth, height, width, here, part, scratch);
        }
      }
    }
  }

  private static void wholeTiles(
      float[] a, int aFrom, int rows, float[] b, int bFrom, int depth, Start start, Target c) {
    float[] values = c.values();
    int ld = c.ld();
    for (int r = 0; r < rows; r += ROWS) {
      int aR = aFrom + r * depth;
      int cR = c.from() + r * ld;
      if (start == Start.ZERO) {
        MicroKernel.tileFromZero(a, aR, b, bFrom, depth, values, cR, ld);
      } else {
        MicroKernel.tile(a, aR, b, bFrom, depth, values, cR, ld);
      }
    }
  }

  // A tile that the output has only a part of.
  private static void edge(
      float[] a,
      int aFrom,
      float[] b,
      int bFrom,
      int depth,
      int rows,
      int columns,
      Start start,
      Target c,
      Scratch scratch) {
    float[] tile = scratch.floats(Use.TILE, ROWS * COLUMNS);
    if (start == Start.ZERO) {
      MicroKernel.tileFromZero(a, aFrom, b, bFrom, depth, tile, 0, COLUMNS);
    } else {
      for (int r = 0; r < rows; r++) {
        System.arraycopy(c.values(), c.from() + r * c.ld(), tile, r * COLUMNS, columns);
      }
      MicroKernel.tile(a, aFrom, b, bFrom, depth, tile, 0, COLUMNS);
    }
    for (int r = 0; r < rows; r++) {
      System.arraycopy(tile, r * COLUMNS, c.values(), c.from() + r * c.ld(), columns);
    }
  }
}
