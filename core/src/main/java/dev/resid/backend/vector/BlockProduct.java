package dev.resid.backend.vector;

import dev.resid.backend.vector.Scratch.Use;
import java.lang.foreign.MemorySegment;

// The product of packed rows with one group of packed panels, on one thread.
//
// The panels of a group, 768 KiB, stay in the second-level cache while all tiles of rows pass by; a
// tile of rows stays in the first level while it meets the panels of the group. So the sums of a
// tile, [ROWS, columns], are finished together and lie in the first level, where whoever wanted
// them adds a bias, applies an activation, or looks for what to keep; the output is written in runs
// of a group's columns, which the processor fetches ahead of time. (The other order, rows in the
// second level and panels passing by, writes runs of one panel, each into other pages; that cost a
// tenth of the time.)
//
// Where the terms have to be cut into parts anyway, a group may have more columns of fewer terms:
// then the rows, which come from the third level once a group, come less often.
final class BlockProduct {
  /** Columns of a group of panels whose terms are one part. */
  static final int WIDTH = 256;

  /** Terms of a part at most: a tile of rows is 36 KiB, a group of WIDTH columns 768 KiB. */
  static final int DEPTH = 768;

  /** Columns at most of a group whose terms are cut into parts. */
  static final int WIDTH_IN_PARTS = 384;

  // Terms at most of a part of a group wider than WIDTH.
  private static final int DEPTH_OF_WIDE = 512;

  /** Rows at most of a call with more terms than one part: their sums are 1.5 MiB. */
  static final int MOST_ROWS_IN_PARTS = 1032;

  private static final int ROWS = MicroKernel.ROWS;
  private static final int COLUMNS = MicroKernel.COLUMNS;

  // The buffer of sums begins with the zeros of a tile, which are never written: where sums start.
  private static final int ZEROS = ROWS * COLUMNS;

  private static final Sink NOBODY = (row, rows, sums, from, ld) -> {};

  private BlockProduct() {}

  /** Packed right operand: the byte where its first panel begins, and how far apart panels are. */
  record Panels(MemorySegment values, long from, long stride) {
    Panels from(int panel) {
      return new Panels(values, from + panel * stride, stride);
    }
  }

  /** What a product begins its sums with. */
  @FunctionalInterface
  interface Start {
    /** Zero. */
    Start ZERO = (row, rows, sums, from, ld) -> {};

    /** Puts the start of `rows` rows from `row` on to sums[from + r·ld + j]. */
    void load(int row, int rows, float[] sums, int from, int ld);
  }

  /** What takes finished sums. */
  @FunctionalInterface
  interface Sink {
    /** Takes sums[from + r·ld + j] of `rows` rows from `row` on; it may write there. */
    void take(int row, int rows, float[] sums, int from, int ld);

    /**
     * Told that COLUMNS sums of `rows` rows are about to be computed which will be taken soon.
     * Where they go to memory that will be written and not read, writing anything there now makes
     * the processor fetch its lines while it multiplies.
     */
    default void expect(int row, int rows, int column) {}
  }

  /**
   * Hands start[r, j] + Σ_k a[k, r]·b[k, j] to a sink, tile after tile.
   *
   * @param a packed rows
   * @param first the first row, a multiple of ROWS
   * @param count how many rows
   * @param b the first panel of the group
   * @param columns how many columns, at most WIDTH, or WIDTH_IN_PARTS with more terms than DEPTH
   */
  static void multiply(
      PackedRows a,
      int first,
      int count,
      Panels b,
      int columns,
      Start start,
      Sink sink,
      Scratch scratch) {
    int terms = a.terms();
    int most = columns > WIDTH ? DEPTH_OF_WIDE : DEPTH;
    int parts = Math.max(1, (terms + most - 1) / most);
    int depth = (terms + parts - 1) / parts;
    int kept = parts == 1 ? ROWS : Packing.roundUp(count, ROWS);
    int ld = Packing.roundUp(columns, COLUMNS);
    float[] sums = scratch.floats(Use.SUMS, ZEROS + kept * ld);
    for (int k = 0; k < terms; k += depth) {
      int n = Math.min(depth, terms - k);
      for (int r = 0; r < count; r += ROWS) {
        int rows = Math.min(ROWS, count - r);
        int at = parts == 1 ? ZEROS : ZEROS + r * ld;
        if (k == 0 && start != Start.ZERO) {
          start.load(first + r, rows, sums, at, ld);
        }
        boolean fromZero = k == 0 && start == Start.ZERO;
        boolean last = k + n == terms;
        Sink next = last ? sink : NOBODY;
        int from = fromZero ? 0 : at;
        panels(a, first + r, k, n, b, columns, sums, from, at, ld, next);
        if (last) {
          sink.take(first + r, rows, sums, at, ld);
        }
      }
    }
  }

  // One tile of rows with all panels of the group. Zeros, at 0, are the same for all of them.
  private static void panels(
      PackedRows a,
      int row,
      int k,
      int depth,
      Panels b,
      int columns,
      float[] sums,
      int start,
      int end,
      int ld,
      Sink next) {
    int height = a.height(row);
    int aFrom = a.at(row, k);
    int step = start == end ? COLUMNS : 0;
    int startLd = start == end ? ld : 0;
    long bFrom = b.from() + k * (COLUMNS * 4L);
    int from = start;
    int rows = Math.min(ROWS, a.rows() - row);
    for (int j = 0; j < columns; j += COLUMNS) {
      next.expect(row, rows, j);
      if (height == ROWS) {
        MicroKernel.tile(
            a.tiles(), aFrom, b.values(), bFrom, depth, sums, from, startLd, end + j, ld);
      } else {
        MicroKernel.rows4(
            a.tiles(), aFrom, b.values(), bFrom, depth, sums, from, startLd, end + j, ld);
      }
      bFrom += b.stride();
      from += step;
    }
  }
}
