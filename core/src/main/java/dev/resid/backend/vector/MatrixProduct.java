package dev.resid.backend.vector;

import dev.resid.backend.vector.BlockProduct.Bias;
import dev.resid.backend.vector.BlockProduct.Panels;
import dev.resid.backend.vector.BlockProduct.Start;
import dev.resid.backend.vector.BlockProduct.Target;
import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.Activation;
import java.util.Arrays;

// Matrix products by the scheme of Goto and van de Geijn ("Anatomy of High-Performance Matrix
// Multiplication", 2008): a block of rows of the left operand is packed and stays in the
// second-level cache, while the panels of the right operand pass by; of a panel, DEPTH terms at a
// time stay in the first level while all tiles of the block use them (BlockProduct).
//
// What is particular here: the sums of a tile are loaded at the start of every DEPTH terms and
// stored at their end. So each output element is one chain of fused multiply-adds over its terms in
// order, in whichever tile, block or thread it is computed, and one row alone has the bits it has
// among thousands.
//
// R rows, K = in, N = out; M and N the sides of a weight gradient.
final class MatrixProduct {
  // Terms of a packed block of rows at most, a multiple of DEPTH. With all terms in one block the
  // output is written once; reading and writing it again for each part costs more than what the
  // fewer rows of a deeper block cost in reading the right operand more often.
  private static final int BLOCK_DEPTH = 3072;

  // Rows of a packed block, and its elements, at most: 1.1 MiB.
  private static final int BLOCK_ROWS = 384;
  private static final int BLOCK = BLOCK_ROWS * 768;

  // Panels between which the activation is applied, while the outputs are still near.
  private static final int GROUP_PANELS = 16;

  // Terms and columns of the right operand that are packed at a time where it is not a packed
  // matrix: 9 MiB.
  private static final int SHARED_DEPTH = 768;
  private static final int SHARED_COLUMNS = 3072;
  private static final int TASKS_PER_THREAD = 8;
  private static final int SMALLEST_TASK_TILES = 6;
  private static final int DEPTH = BlockProduct.DEPTH;
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

  /**
   * How the outputs of a product are split into tasks; changes no result. A block has as many rows
   * as the cache allows, since every block reads the whole right operand.
   */
  private record Split(int rows, int rowBlocks, int panels, int chunks, int threads) {
    static Split of(int rows, int terms, int panels, int threads) {
      int tiles = (rows + ROWS - 1) / ROWS;
      int depth = Math.clamp(terms, 1, BLOCK_DEPTH);
      int most = Math.max(1, Math.min(BLOCK_ROWS, BLOCK / depth) / ROWS);
      int fewest = (tiles + most - 1) / most;
      // A multiple of the threads, where the blocks stay large enough.
      int even = Math.min(Packing.roundUp(fewest, threads), tiles / SMALLEST_TASK_TILES);
      int rowBlocks = Math.max(fewest, even);
      int wanted = threads == 1 ? 1 : threads * TASKS_PER_THREAD;
      int chunks = Math.clamp((wanted + rowBlocks - 1) / rowBlocks, 1, (panels + 3) / 4);
      int blockTiles = (tiles + rowBlocks - 1) / rowBlocks;
      int chunkPanels = (panels + chunks - 1) / chunks;
      return new Split(
          blockTiles * ROWS,
          (tiles + blockTiles - 1) / blockTiles,
          chunkPanels,
          (panels + chunkPanels - 1) / chunkPanels,
          threads);
    }

    int tasks() {
      return rowBlocks * chunks;
    }

    // Consecutive tasks go to different threads, most of the time in turn. Numbered like this, a
    // thread meets the chunks of one block one after the other and packs its rows only once.
    private int turn(int task) {
      return task / (threads * chunks);
    }

    private int blocksOf(int turn) {
      return Math.min(threads, rowBlocks - turn * threads);
    }

    int row(int task) {
      int turn = turn(task);
      return (turn * threads + (task - turn * threads * chunks) % blocksOf(turn)) * rows;
    }

    int panel(int task) {
      int turn = turn(task);
      return (task - turn * threads * chunks) / blocksOf(turn) * panels;
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
    Split split = Split.of(rows, in, w.panelCount(), workers.count());
    Object product = new Object();
    workers.run(
        split.tasks(),
        (task, scratch) -> {
          int row = split.row(task);
          int count = Math.min(split.rows(), rows - row);
          int first = split.panel(task);
          int last = Math.min(first + split.panels(), w.panelCount());
          for (int k = 0; k < in; k += BLOCK_DEPTH) {
            int terms = Math.min(BLOCK_DEPTH, in - k);
            if (scratch.isNew(product, row, k)) {
              BlockProduct.packRows(x, row * in + k, in, count, terms, scratch);
            }
            float[] a = scratch.floats(Use.ROWS, 0);
            Start start = k == 0 ? Start.ZERO : Start.OUTPUT;
            for (int panel = first; panel < last; panel += GROUP_PANELS) {
              int column = panel * COLUMNS;
              int n = Math.min(columns, Math.min(last, panel + GROUP_PANELS) * COLUMNS) - column;
              Target c = new Target(out, row * columns + column, columns);
              Panels b = new Panels(w.panels, w.panelFrom(panel) + k * COLUMNS, in * COLUMNS);
              Bias add = k + terms == in ? new Bias(bias, column) : Bias.NONE;
              BlockProduct.multiply(a, count, terms, b, n, start, add, c, scratch);
              if (k + terms == in) {
                activate(f, c, count, n, scratch);
              }
            }
          }
        });
  }

  private static void activate(Activation f, Target c, int rows, int n, Scratch scratch) {
    if (f == Activation.IDENTITY) {
      return;
    }
    for (int r = 0; r < rows; r++) {
      int at = c.from() + r * c.ld();
      Activations.apply(f, c.values(), at, c.values(), at, n, scratch);
    }
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
                MicroKernel.rows1(a, 0, w.panels, w.panelFrom(p), in, tile, 0, 0, COLUMNS);
              } else {
                MicroKernel.rows4(a, row * in, w.panels, w.panelFrom(p), in, tile, 0, 0, COLUMNS);
              }
              Target c = new Target(out, row * columns + p * COLUMNS, columns);
              for (int r = 0; r < count; r++) {
                int at = c.from() + r * columns;
                System.arraycopy(tile, r * COLUMNS, out, at, width);
                Elementwise.addInPlace(out, at, bias, p * COLUMNS, width);
              }
              activate(f, c, count, width, scratch);
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
        (row, lines, j, depth, to, toFrom) ->
            Packing.rowTiles(dOut, row * w.out + j, w.out, lines, depth, to, toFrom, ROWS);
    product(left, rows, w.out, transposed, w.in, Start.ZERO, dX);
  }

  /** Adds Σ_r a[r, i]·b[r, j] to sum[i, j]. */
  void addOuterProducts(float[] a, float[] b, int rows, int m, int n, float[] sum) {
    RightOperand right =
        (r, depth, j, width, to, toFrom) ->
            Packing.columns(b, r * n + j, n, width, depth, to, toFrom, COLUMNS);
    LeftOperand left =
        (i, lines, r, depth, to, toFrom) ->
            Packing.columnTiles(a, r * m + i, m, lines, depth, to, toFrom, ROWS);
    product(left, m, rows, right, n, Start.OUTPUT, sum);
  }

  @FunctionalInterface
  private interface LeftOperand {
    /** Packs lines of the left operand, `depth` terms from `term`, into tiles. */
    void pack(int line, int lines, int term, int depth, float[] to, int toFrom);
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
    float[] shared = pool.take(sharedColumns * Math.min(SHARED_DEPTH, terms));
    for (int column = 0; column < columns; column += sharedColumns) {
      int first = column;
      int width = Math.min(sharedColumns, columns - column);
      int panels = (width + COLUMNS - 1) / COLUMNS;
      for (int term = 0; term < terms; term += SHARED_DEPTH) {
        int k = term;
        Start begin = term == 0 ? start : Start.OUTPUT;
        int depth = Math.min(SHARED_DEPTH, terms - term);
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
        Split split = Split.of(lines, depth, panels, workers.count());
        Object product = new Object();
        workers.run(
            split.tasks(),
            (task, scratch) -> {
              int line = split.row(task);
              int blockLines = Math.min(split.rows(), lines - line);
              int panel = split.panel(task);
              int n = Math.min(split.panels() * COLUMNS, width - panel * COLUMNS);
              float[] a = scratch.floats(Use.ROWS, Packing.roundUp(blockLines, ROWS) * depth);
              if (scratch.isNew(product, line, k)) {
                pack(left, line, blockLines, k, depth, a);
              }
              Panels b = new Panels(shared, panel * COLUMNS * depth, COLUMNS * depth);
              Target to = new Target(c, line * columns + first + panel * COLUMNS, columns);
              BlockProduct.multiply(a, blockLines, depth, b, n, begin, Bias.NONE, to, scratch);
            });
      }
    }
    pool.give(shared);
  }

  // Tiles, DEPTH terms of all lines after the other.
  private static void pack(LeftOperand left, int line, int lines, int term, int terms, float[] to) {
    int padded = Packing.roundUp(lines, ROWS);
    for (int k = 0; k < terms; k += DEPTH) {
      left.pack(line, lines, term + k, Math.min(DEPTH, terms - k), to, padded * k);
    }
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
}
