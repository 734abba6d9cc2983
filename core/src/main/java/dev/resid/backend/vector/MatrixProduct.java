package dev.resid.backend.vector;

import dev.resid.backend.vector.BlockProduct.Panels;
import dev.resid.backend.vector.BlockProduct.Sink;
import dev.resid.backend.vector.BlockProduct.Start;
import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.Activation;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;
import jdk.incubator.vector.FloatVector;

// Matrix products by blocks as in Goto and van de Geijn ("Anatomy of High-Performance Matrix
// Multiplication", 2008), with the operands' roles exchanged: panels of the right operand stay in
// the second-level cache, tiles of the left one pass by (BlockProduct). The rows are packed once,
// by all threads, before the product begins.
//
// What is particular here: the sums of a tile go on from where the terms before left them. So each
// output element is one chain of fused multiply-adds over its terms in order, in whichever tile,
// block or thread it is computed, and one row alone has the bits it has among thousands.
//
// R rows, K = in, N = out; M and N the sides of a weight gradient.
final class MatrixProduct {
  // Terms and columns of the right operand that are packed at a time where it is not a packed
  // matrix: 9 MiB.
  private static final int SHARED_DEPTH = BlockProduct.DEPTH;
  private static final int SHARED_COLUMNS = 3072;
  private static final int TASKS_PER_THREAD = 8;

  // Groups of four panels that one row needs for a thread, so that threads end together.
  private static final int GROUPS_PER_THREAD = 3;
  private static final int ROWS = MicroKernel.ROWS;
  private static final int COLUMNS = MicroKernel.COLUMNS;
  private static final int SMALL = MicroKernel.SMALL_ROWS;

  // Up to here rows are packed without vectors.
  private static final int PACKED_ONE_BY_ONE = 32;

  private final Workers workers;
  private final FloatPool pool;
  private final FirstPasses firstPasses;
  private final ConcurrentLinkedQueue<MemorySegment> idlePanels = new ConcurrentLinkedQueue<>();

  MatrixProduct(Workers workers, FloatPool pool, FirstPasses firstPasses) {
    this.workers = workers;
    this.pool = pool;
    this.firstPasses = firstPasses;
  }

  /** out[r, j] = f(Σ_i x[r, i]·w[i, j] + bias[j]). */
  void linear(float[] x, int rows, PackedMatrix w, float[] bias, Activation f, float[] out) {
    double nanos =
        (PlainProduct.NANOS_TO_READ + PlainProduct.NANOS_TO_MULTIPLY * rows) * w.in * w.out;
    if (PlainKernels.has(f) && firstPasses.take(rows, nanos)) {
      PlainProduct.linear(x, rows, w, bias, f, out, workers);
      return;
    }
    if (rows == 1) {
      linearOneRow(x, w, bias, f, out);
      return;
    }
    if (few(rows, w.in)) {
      linearFewRows(x, rows, w, bias, f, out);
      return;
    }
    int in = w.in;
    int columns = w.out;
    int slab = PackedRows.slab(in);
    for (int first = 0; first < rows; first += slab) {
      int firstRow = first;
      PackedRows a = packRows(x, first, Math.min(slab, rows - first), in, workers, pool);
      Blocks blocks = Blocks.even(a.rows(), in, columns, workers.count());
      workers.run(
          blocks.tasks(),
          (task, scratch) ->
              blocks.run(
                  task,
                  scratch,
                  (row, count, column, n, own) -> {
                    int to = firstRow * columns + column;
                    Sink sink = new Finish(bias, f, out, to, columns, column, n, own);
                    Panels b = w.panels(column / COLUMNS, 0);
                    BlockProduct.multiply(a, row, count, b, n, Start.ZERO, sink, own);
                  }));
      pool.give(a.tiles());
    }
  }

  // Adds the bias to finished sums, applies the activation and puts them to out[to + row·ld + j].
  private record Finish(
      float[] bias, Activation f, float[] out, int to, int ld, int column, int n, Scratch scratch)
      implements Sink {
    @Override
    public void take(int row, int rows, float[] sums, int from, int sumsLd) {
      for (int i = 0; i < rows; i++) {
        int at = to + (row + i) * ld;
        addBias(sums, from + i * sumsLd, bias, column, out, at, n);
        if (f != Activation.IDENTITY) {
          Activations.apply(f, out, at, out, at, n, scratch);
        }
      }
    }

    // Without that, writing the output of a tile waits for memory: 0.01 to 0.05 of the peak.
    @Override
    public void expect(int row, int rows, int j) {
      if (j + COLUMNS > n) {
        return;
      }
      int at = to + row * ld + j;
      for (int i = 0; i < rows; i++, at += ld) {
        out[at] = 0f;
        out[at + Lanes.L] = 0f;
      }
    }
  }

  /** Packs rows of x [R, terms] from one on, in an array from the pool. */
  static PackedRows packRows(
      float[] x, int first, int rows, int terms, Workers workers, FloatPool pool) {
    return PackedRows.pack(
        (line, lines, to, toFrom, width) -> {
          int from = (first + line) * terms;
          if (rows <= PACKED_ONE_BY_ONE) {
            Packing.plainRowTiles(x, from, terms, lines, terms, to, toFrom, width);
          } else {
            Packing.rowTiles(x, from, terms, lines, terms, to, toFrom, width);
          }
        },
        rows,
        terms,
        workers,
        pool);
  }

  private static void addBias(
      float[] sums, int from, float[] bias, int biasFrom, float[] out, int to, int n) {
    int j = 0;
    for (; j <= n - Lanes.L; j += Lanes.L) {
      FloatVector.fromArray(Lanes.F, sums, from + j)
          .add(FloatVector.fromArray(Lanes.F, bias, biasFrom + j))
          .intoArray(out, to + j);
    }
    for (; j < n; j++) {
      out[to + j] = sums[from + j] + bias[biasFrom + j];
    }
  }

  // Whether reading the weights takes longer than multiplying with them. Panels of many terms are
  // too long to stay where the rows after the first four find them again soon.
  private static boolean few(int rows, int terms) {
    return rows <= 3 * SMALL || rows <= 4 * SMALL && terms <= BlockProduct.DEPTH;
  }

  // One row has one multiply-add for a line of weights, so it is all reading. Four panels at a time
  // are four streams.
  private void linearOneRow(float[] x, PackedMatrix w, float[] bias, Activation f, float[] out) {
    int panels = w.panelCount();
    int together = panels >= 4 * GROUPS_PER_THREAD * workers.count() ? 4 : 1;
    int groups = (panels + together - 1) / together;
    int tasks = Math.min(groups, workers.count() * TASKS_PER_THREAD);
    workers.run(
        tasks,
        (task, scratch) -> {
          float[] sums = scratch.floats(Use.TILE, 4 * COLUMNS);
          int last = (int) ((long) groups * (task + 1) / tasks);
          for (int group = (int) ((long) groups * task / tasks); group < last; group++) {
            int first = group * together;
            int count = Math.min(together, panels - first);
            if (count == 4) {
              MicroKernel.rows1FourPanels(x, w.panels, w.at(first, 0), w.at(1, 0), w.in, sums);
            } else {
              Arrays.fill(sums, 0, count * COLUMNS, 0f);
              for (int p = 0; p < count; p++) {
                int at = p * COLUMNS;
                MicroKernel.rows1(
                    x, 0, w.panels, w.at(first + p, 0), w.in, sums, at, COLUMNS, at, COLUMNS);
              }
            }
            int column = first * COLUMNS;
            int width = Math.min(count * COLUMNS, w.out - column);
            addBias(sums, 0, bias, column, out, column, width);
            if (f != Activation.IDENTITY) {
              Activations.apply(f, out, column, out, column, width, scratch);
            }
          }
        });
  }

  // With few rows the time is that of reading the weights: each panel is read once from memory, by
  // the kernel of the first rows, which has the fewest instructions between two reads. Two panels
  // at a time are two streams, which the processor fetches further ahead.
  private void linearFewRows(
      float[] x, int rows, PackedMatrix w, float[] bias, Activation f, float[] out) {
    int in = w.in;
    int columns = w.out;
    int panels = w.panelCount();
    int together = MicroKernel.TWO_PANELS ? 2 : 1;
    int groups = (panels + together - 1) / together;
    int tasks = Math.min(groups, workers.count() * TASKS_PER_THREAD);
    float[] a = pool.take(in * Packing.roundUp(rows, SMALL));
    Packing.plainRowTiles(x, 0, in, rows, in, a, 0, SMALL);
    workers.run(
        tasks,
        (task, scratch) -> {
          float[] tile = scratch.floats(Use.TILE, SMALL * 2 * COLUMNS);
          int last = (int) ((long) groups * (task + 1) / tasks);
          for (int group = (int) ((long) groups * task / tasks); group < last; group++) {
            int p = group * together;
            long b = w.at(p, 0);
            boolean two = together == 2 && p + 1 < panels;
            int ld = two ? 2 * COLUMNS : COLUMNS;
            int width = Math.min(ld, columns - p * COLUMNS);
            for (int row = 0; row < rows; row += SMALL) {
              if (two) {
                MicroKernel.rows4TwoPanels(a, row * in, w.panels, b, w.at(1, 0), in, tile);
              } else {
                Arrays.fill(tile, 0, SMALL * COLUMNS, 0f);
                MicroKernel.rows4(a, row * in, w.panels, b, in, tile, 0, COLUMNS, 0, COLUMNS);
              }
              for (int r = 0; r < Math.min(SMALL, rows - row); r++) {
                int at = (row + r) * columns + p * COLUMNS;
                addBias(tile, r * ld, bias, p * COLUMNS, out, at, width);
                if (f != Activation.IDENTITY) {
                  Activations.apply(f, out, at, out, at, width, scratch);
                }
              }
            }
          }
        });
    pool.give(a);
  }

  /** dX[r, i] = Σ_j dOut[r, j]·w[i, j]: the panels of w are transposed a block at a time. */
  void linearBackwardInput(float[] dOut, int rows, PackedMatrix w, float[] dX) {
    RightOperand transposed =
        (j, depth, i, width, to, scratch) -> packTransposed(w, j, depth, i, width, to, scratch);
    LeftOperand left =
        (row, lines, j, depth, to, toFrom, width) ->
            Packing.rowTiles(dOut, row * w.out + j, w.out, lines, depth, to, toFrom, width);
    product(left, rows, w.out, transposed, w.in, Begin.ZERO, dX);
  }

  /** Adds Σ_r a[r, i]·b[r, j] to sum[i, j]. */
  void addOuterProducts(float[] a, float[] b, int rows, int m, int n, float[] sum) {
    RightOperand right =
        (r, depth, j, width, to, scratch) ->
            Packing.columns(b, r * n + j, n, width, depth, to, 0, COLUMNS);
    LeftOperand left =
        (i, lines, r, depth, to, toFrom, width) ->
            Packing.columnTiles(a, r * m + i, m, lines, depth, to, toFrom, width);
    product(left, m, rows, right, n, Begin.OUTPUT, sum);
  }

  // Sums that begin with what an array [lines, columns] holds, from a line and column on.
  private static Start loading(float[] c, int line, int column, int columns, int n) {
    return (row, rows, sums, from, ld) -> {
      for (int r = 0; r < rows; r++) {
        System.arraycopy(c, (line + row + r) * columns + column, sums, from + r * ld, n);
      }
    };
  }

  /** What a product begins its sums with: nothing, or what the output holds. */
  private enum Begin {
    ZERO,
    OUTPUT
  }

  @FunctionalInterface
  private interface LeftOperand {
    /** Packs lines of the left operand, `depth` terms from `term`, into tiles. */
    void pack(int line, int lines, int term, int depth, float[] to, int toFrom, int width);
  }

  @FunctionalInterface
  private interface RightOperand {
    /** Packs one panel, `depth` terms from `term`, `width` columns from `column`. */
    void pack(int term, int depth, int column, int width, float[] to, Scratch scratch);
  }

  /** Computes a product of which neither operand is packed yet into c [lines, columns]. */
  private void product(
      LeftOperand left,
      int lines,
      int terms,
      RightOperand right,
      int columns,
      Begin begin,
      float[] c) {
    if (lines == 0 || terms == 0 || columns == 0) {
      if (begin == Begin.ZERO) {
        Arrays.fill(c, 0, lines * columns, 0f);
      }
      return;
    }
    int sharedColumns = Math.min(Packing.roundUp(columns, COLUMNS), SHARED_COLUMNS);
    MemorySegment shared = takePanels((long) sharedColumns * Math.min(SHARED_DEPTH, terms));
    int slab = PackedRows.slab(Math.min(SHARED_DEPTH, terms));
    for (int column = 0; column < columns; column += sharedColumns) {
      int width = Math.min(sharedColumns, columns - column);
      for (int term = 0; term < terms; term += SHARED_DEPTH) {
        int k = term;
        int depth = Math.min(SHARED_DEPTH, terms - term);
        packPanels(right, k, depth, column, width, shared);
        Begin part = term == 0 ? begin : Begin.OUTPUT;
        for (int line = 0; line < lines; line += slab) {
          int first = line;
          PackedRows a =
              PackedRows.pack(
                  (l, count, to, toFrom, w) -> left.pack(first + l, count, k, depth, to, toFrom, w),
                  Math.min(slab, lines - line),
                  depth,
                  workers,
                  pool);
          multiply(a, shared, width, part, c, line, column, columns);
          pool.give(a.tiles());
        }
      }
    }
    idlePanels.add(shared);
  }

  // Packs panels of `width` columns from `column` on, `depth` terms from `term`.
  private void packPanels(
      RightOperand right, int term, int depth, int column, int width, MemorySegment to) {
    workers.run(
        (width + COLUMNS - 1) / COLUMNS,
        (p, scratch) -> {
          float[] panel = scratch.floats(Use.PANEL, depth * COLUMNS);
          int n = Math.min(COLUMNS, width - p * COLUMNS);
          right.pack(term, depth, column + p * COLUMNS, n, panel, scratch);
          int length = depth * COLUMNS;
          PanelMemory.put(panel, 0, to, 4L * p * length, length);
        });
  }

  // One part of the terms: c, from a line and column on, is what the sums go on from.
  private void multiply(
      PackedRows a,
      MemorySegment panels,
      int width,
      Begin begin,
      float[] c,
      int line,
      int column,
      int columns) {
    long stride = 4L * COLUMNS * a.terms();
    Blocks blocks = Blocks.even(a.rows(), a.terms(), width, workers.count());
    workers.run(
        blocks.tasks(),
        (task, scratch) ->
            blocks.run(
                task,
                scratch,
                (row, count, from, n, own) -> {
                  Start start =
                      begin == Begin.ZERO
                          ? Start.ZERO
                          : loading(c, line, column + from, columns, n);
                  Sink sink =
                      (r, height, sums, at, ld) -> {
                        for (int i = 0; i < height; i++) {
                          int to = (line + r + i) * columns + column + from;
                          System.arraycopy(sums, at + i * ld, c, to, n);
                        }
                      };
                  Panels b = new Panels(panels, from / COLUMNS * stride, stride);
                  BlockProduct.multiply(a, row, count, b, n, start, sink, own);
                }));
  }

  private MemorySegment takePanels(long elements) {
    MemorySegment segment = idlePanels.poll();
    return segment != null && segment.byteSize() >= elements * Float.BYTES
        ? segment
        : PanelMemory.allocate(elements);
  }

  // One panel of wᵀ: to[j, i] = w[i, j] for `depth` columns j and `width` rows i of w.
  private static void packTransposed(
      PackedMatrix w, int j, int depth, int i, int width, float[] to, Scratch scratch) {
    float[] rows = scratch.floats(Use.PIECE, COLUMNS * COLUMNS);
    int done = 0;
    while (done < depth) {
      int panel = (j + done) / COLUMNS;
      int inPanel = (j + done) % COLUMNS;
      int count = Math.min(depth - done, COLUMNS - inPanel);
      PanelMemory.get(w.panels, w.at(panel, i), rows, 0, width * COLUMNS);
      Packing.rows(rows, inPanel, COLUMNS, width, count, to, done * COLUMNS, COLUMNS);
      done += count;
    }
  }
}
