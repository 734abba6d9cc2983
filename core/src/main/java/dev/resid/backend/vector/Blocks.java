package dev.resid.backend.vector;

// How the outputs of a product are split into tasks: chunks of rows times spans of groups of
// columns. Changes no result. Every chunk reads all panels once, every group all rows once.
record Blocks(
    int rows,
    int chunkRows,
    int chunks,
    int columns,
    int groupColumns,
    int spanColumns,
    int spans,
    int threads) {
  private static final int ROWS = MicroKernel.ROWS;
  private static final int COLUMNS = MicroKernel.COLUMNS;
  private static final int WIDTH = BlockProduct.WIDTH;
  private static final int TASKS_PER_THREAD = 8;

  // Tiles of a chunk at least, where there are enough: the group's way from the third-level cache
  // is paid once a chunk.
  private static final int FEWEST_TILES = 16;

  // Panels of a group at least: a tile of rows is read once a group.
  private static final int FEWEST_PANELS = 2;

  /** What one task computes. */
  @FunctionalInterface
  interface Block {
    /** Computes `n` columns from `column` on, at most a group, of `count` rows from `row` on. */
    void run(int row, int count, int column, int n, Scratch scratch);
  }

  /** Returns blocks whose groups are WIDTH columns for any number of rows and threads. */
  static Blocks of(int rows, int terms, int columns, int threads) {
    return split(rows, terms, columns, threads, WIDTH);
  }

  /**
   * Returns blocks whose groups are wider where terms are cut into parts, and narrower where there
   * would be too few for the threads to end together: with 128 rows and 768 columns two threads
   * would get one and two groups.
   */
  static Blocks even(int rows, int terms, int columns, int threads) {
    int most = terms > BlockProduct.DEPTH ? BlockProduct.WIDTH_IN_PARTS : WIDTH;
    Blocks wide = split(rows, terms, columns, threads, most);
    int tasks = wanted(threads);
    if (wide.tasks() >= tasks) {
      return wide;
    }
    int panels = (columns + COLUMNS - 1) / COLUMNS;
    int groups = (tasks + wide.chunks - 1) / wide.chunks;
    int group = Math.clamp((panels + groups - 1) / groups, FEWEST_PANELS, most / COLUMNS);
    return split(rows, terms, columns, threads, group * COLUMNS);
  }

  private static Blocks split(int rows, int terms, int columns, int threads, int group) {
    int tiles = Math.max(1, (rows + ROWS - 1) / ROWS);
    int groups = Math.max(1, (columns + group - 1) / group);
    int most = terms > BlockProduct.DEPTH ? BlockProduct.MOST_ROWS_IN_PARTS / ROWS : tiles;
    int fewest = (tiles + most - 1) / most;
    int wanted = wanted(threads);
    int chunks = Math.max(fewest, Math.min((wanted + groups - 1) / groups, tiles / FEWEST_TILES));
    int chunkTiles = (tiles + chunks - 1) / chunks;
    chunks = (tiles + chunkTiles - 1) / chunkTiles;
    int span = Math.clamp((long) groups * chunks / wanted, 1, groups);
    return new Blocks(
        rows,
        chunkTiles * ROWS,
        chunks,
        columns,
        group,
        span * group,
        (groups + span - 1) / span,
        threads);
  }

  private static int wanted(int threads) {
    return threads == 1 ? 1 : threads * TASKS_PER_THREAD;
  }

  int tasks() {
    return chunks * spans;
  }

  /** Returns which chunk of rows a task computes. */
  int chunk(int task) {
    return item(task) % chunks;
  }

  /** Returns which span of columns a task computes. */
  int span(int task) {
    return item(task) / chunks;
  }

  int row(int task) {
    return chunk(task) * chunkRows;
  }

  int rowCount(int task) {
    return Math.min(chunkRows, rows - row(task));
  }

  int column(int task) {
    return span(task) * spanColumns;
  }

  int columnCount(int task) {
    return Math.min(spanColumns, columns - column(task));
  }

  // Threads take tasks in turn most of the time. Numbered like this, each goes through neighbouring
  // items: all chunks with one group of panels, which then is in its cache.
  private int item(int task) {
    int each = tasks() / threads;
    int dealt = each * threads;
    return task < dealt ? task % threads * each + task / threads : task;
  }

  /** Runs what a task computes, group by group. */
  void run(int task, Scratch scratch, Block block) {
    int last = column(task) + columnCount(task);
    for (int column = column(task); column < last; column += groupColumns) {
      int n = Math.min(groupColumns, last - column);
      block.run(row(task), rowCount(task), column, n, scratch);
    }
  }
}
