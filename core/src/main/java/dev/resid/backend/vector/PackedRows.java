package dev.resid.backend.vector;

/**
 * Rows of a left operand in tiles of {@link MicroKernel#ROWS}, each [terms, ROWS]; the last one is
 * [terms, SMALL_ROWS] where that is enough. The tile of row r, a multiple of ROWS, begins at r
 * times the terms.
 */
record PackedRows(float[] tiles, int rows, int terms) {
  private static final int ROWS = MicroKernel.ROWS;
  private static final int SMALL = MicroKernel.SMALL_ROWS;

  // Elements that one task packs, and those for which other threads are not worth waking.
  private static final int TASK = 1 << 16;

  // Elements of a slab at most: 32 MiB.
  private static final int MOST = 1 << 23;

  /** Packs lines of an operand. */
  @FunctionalInterface
  interface Source {
    /** Puts lines from `line` on, all terms of each, into tiles of `width` lines. */
    void pack(int line, int lines, float[] to, int toFrom, int width);
  }

  /** Returns how many rows are best packed at a time, a multiple of ROWS. */
  static int slab(int terms) {
    return Math.max(1, MOST / Math.max(1, terms) / ROWS) * ROWS;
  }

  /** Returns rows packed by all threads, in an array from the pool, to be given back. */
  static PackedRows pack(Source source, int rows, int terms, Workers workers, FloatPool pool) {
    PackedRows packed = new PackedRows(pool.take(Packing.roundUp(rows, ROWS) * terms), rows, terms);
    int step = Math.max(1, TASK / Math.max(1, ROWS * terms)) * ROWS;
    workers.run(
        (rows + step - 1) / step,
        (task, scratch) -> {
          int line = task * step;
          packed.fill(source, line, Math.min(step, rows - line));
        });
    return packed;
  }

  private void fill(Source source, int line, int lines) {
    int whole = height(line + (lines - 1) / ROWS * ROWS) == ROWS ? lines : lines / ROWS * ROWS;
    if (whole > 0) {
      source.pack(line, whole, tiles, line * terms, ROWS);
    }
    if (whole < lines) {
      source.pack(line + whole, lines - whole, tiles, (line + whole) * terms, SMALL);
    }
  }

  /** Returns where term k of the tile of a row, a multiple of ROWS, begins. */
  int at(int row, int k) {
    return row * terms + k * height(row);
  }

  /** Returns the lines of the tile of a row. */
  int height(int row) {
    return rows - row <= SMALL ? SMALL : ROWS;
  }
}
