package dev.resid.backend.vector;

/** Shares rows and elements out to threads, in tasks of about as many elements. */
final class Tasks {
  /** Elements of one task. */
  static final int CHUNK = 1 << 15;

  private final Workers workers;

  Tasks(Workers workers) {
    this.workers = workers;
  }

  @FunctionalInterface
  interface Row {
    void run(int row);
  }

  @FunctionalInterface
  interface Chunk {
    void run(int from, int count, Scratch scratch);
  }

  // Rows are grouped so that a task has about CHUNK elements.
  void perRow(int rows, int width, Row kernel) {
    int group = Math.max(1, CHUNK / Math.max(1, width));
    workers.run(
        (rows + group - 1) / group,
        (task, scratch) -> {
          int last = Math.min(rows, (task + 1) * group);
          for (int r = task * group; r < last; r++) {
            kernel.run(r);
          }
        });
  }

  void perChunk(int elements, Chunk kernel) {
    workers.run(
        (elements + CHUNK - 1) / CHUNK,
        (task, scratch) ->
            kernel.run(task * CHUNK, Math.min(CHUNK, elements - task * CHUNK), scratch));
  }
}
