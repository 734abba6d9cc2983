package dev.resid.backend.vector;

// Sums over rows for every column: each task owns a stretch of columns and goes through the rows in
// order, so a sum is one float64 chain over ascending rows, added to the target once.
final class ColumnKernels {
  private static final int STRETCH = 64;

  private final Workers workers;

  ColumnKernels(Workers workers) {
    this.workers = workers;
  }

  @FunctionalInterface
  private interface Stretch {
    void run(int from, int to);
  }

  private void perStretch(int width, Stretch kernel) {
    workers.run(
        (width + STRETCH - 1) / STRETCH,
        (task, scratch) -> kernel.run(task * STRETCH, Math.min(width, (task + 1) * STRETCH)));
  }

  /** Adds rows[r, :] to table[ids[r], :] in ascending r. */
  void scatterAddRows(float[] rows, int[] ids, int width, float[] table) {
    perStretch(
        width,
        (from, to) -> {
          for (int r = 0; r < ids.length; r++) {
            Elementwise.addInPlace(table, ids[r] * width + from, rows, r * width + from, to - from);
          }
        });
  }

  /** Adds Σ_r x[r, c] to sum[c]. */
  void addColumnSums(float[] x, int rows, int width, float[] sum) {
    perStretch(
        width,
        (from, to) -> {
          double[] sums = new double[to - from];
          for (int r = 0; r < rows; r++) {
            addRow(x, r * width + from, sums);
          }
          addTo(sum, from, sums);
        });
  }

  /** Adds Σ_r dOut·(x − mean)/scale to dGamma and Σ_r dOut to dBeta. */
  void layerNormParameters(
      float[] dOut, float[] x, float[] scale, int rows, int width, float[] dGamma, float[] dBeta) {
    double[] means = new double[rows];
    workers.run(rows, (r, scratch) -> means[r] = RowKernels.sum(x, r * width, width) / width);
    perStretch(
        width,
        (from, to) -> {
          double[] gammas = new double[to - from];
          double[] betas = new double[to - from];
          for (int r = 0; r < rows; r++) {
            addRow(dOut, r * width + from, betas);
            addProducts(dOut, x, r * width + from, means[r], 1.0 / scale[r], gammas);
          }
          addTo(dGamma, from, gammas);
          addTo(dBeta, from, betas);
        });
  }

  private static void addRow(float[] x, int from, double[] sums) {
    for (int c = 0; c < sums.length; c++) {
      sums[c] += x[from + c];
    }
  }

  private static void addProducts(
      float[] dOut, float[] x, int from, double mean, double inverse, double[] sums) {
    for (int c = 0; c < sums.length; c++) {
      sums[c] += dOut[from + c] * ((x[from + c] - mean) * inverse);
    }
  }

  private static void addTo(float[] target, int from, double[] sums) {
    for (int c = 0; c < sums.length; c++) {
      target[from + c] = (float) (target[from + c] + sums[c]);
    }
  }
}
