package dev.resid.backend.vector;

import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.Activation;

// A product of few rows without the Vector API, for FirstPasses: each element is the chain that
// MicroKernel computes. Panels are laid out as rows again, since the compiler makes vector
// instructions of a loop over arrays only if it is long, and only if all arrays have the same index
// in it: otherwise it takes them for parts of one.
final class PlainProduct {
  /** Nanoseconds for an element of the right operand, and for it and one row, once compiled. */
  static final double NANOS_TO_READ = 0.5;

  static final double NANOS_TO_MULTIPLY = 0.25;

  private static final int COLUMNS = MicroKernel.COLUMNS;
  private static final int MOST_COLUMNS = 384;
  private static final int LEAST_COLUMNS = 128;
  private static final int TASKS_PER_THREAD = 2;

  // Terms at a time, which with the most columns are 96 KiB.
  private static final int DEPTH = 64;

  private PlainProduct() {}

  /** As {@link MatrixProduct#linear}, for functions that {@link PlainKernels} has. */
  static void linear(
      float[] x,
      int rows,
      PackedMatrix w,
      float[] bias,
      Activation f,
      float[] out,
      Workers workers) {
    int panels = w.panelCount();
    int share = panels / (workers.count() * TASKS_PER_THREAD);
    int group = Math.clamp(share, LEAST_COLUMNS / COLUMNS, MOST_COLUMNS / COLUMNS);
    workers.run(
        (panels + group - 1) / group,
        (task, scratch) -> {
          int panel = task * group;
          int count = Math.min(group, panels - panel);
          float[][] sums = new float[rows][count * COLUMNS];
          for (int k = 0; k < w.in; k += DEPTH) {
            addTerms(x, w, panel, count, k, Math.min(DEPTH, w.in - k), sums, scratch);
          }
          int column = panel * COLUMNS;
          int n = Math.min(count * COLUMNS, w.out - column);
          for (int r = 0; r < rows; r++) {
            int at = r * w.out + column;
            for (int j = 0; j < n; j++) {
              out[at + j] = sums[r][j] + bias[column + j];
            }
            PlainKernels.apply(f, out, at, n);
          }
        });
  }

  // Adds x[r, k]·w[k, j] for `depth` terms from `first` and the columns of `count` panels.
  private static void addTerms(
      float[] x,
      PackedMatrix w,
      int panel,
      int count,
      int first,
      int depth,
      float[][] sums,
      Scratch scratch) {
    int length = depth * COLUMNS;
    float[] block = scratch.floats(Use.PANEL, count * length);
    for (int p = 0; p < count; p++) {
      PanelMemory.get(w.panels, w.at(panel + p, first), block, p * length, length);
    }
    float[] line = scratch.floats(Use.ROWS, count * COLUMNS);
    for (int k = 0; k < depth; k++) {
      for (int p = 0; p < count; p++) {
        System.arraycopy(block, p * length + k * COLUMNS, line, p * COLUMNS, COLUMNS);
      }
      int at = first + k;
      int r = 0;
      for (; r + 2 <= sums.length; r += 2) {
        addScaled(x[r * w.in + at], x[(r + 1) * w.in + at], line, sums[r], sums[r + 1]);
      }
      if (r < sums.length) {
        addScaled(x[r * w.in + at], line, sums[r]);
      }
    }
  }

  private static void addScaled(float factor, float[] line, float[] sums) {
    for (int j = 0; j < sums.length; j++) {
      sums[j] = Math.fma(factor, line[j], sums[j]);
    }
  }

  // Two rows at once, which reads the line once for both.
  private static void addScaled(
      float factor, float nextFactor, float[] line, float[] sums, float[] nextSums) {
    for (int j = 0; j < sums.length; j++) {
      float y = line[j];
      sums[j] = Math.fma(factor, y, sums[j]);
      nextSums[j] = Math.fma(nextFactor, y, nextSums[j]);
    }
  }
}
