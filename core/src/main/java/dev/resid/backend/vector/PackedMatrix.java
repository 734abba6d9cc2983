package dev.resid.backend.vector;

import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;

// A weight matrix [in, out] as panels of COLUMNS columns, each [in, COLUMNS]; the last panel is
// filled up with zero columns. A product walks a panel from front to back, so it reads memory in
// order however many rows it has.
final class PackedMatrix implements Matrix {
  // How much of a mapped file is read at a time. Larger pieces are no faster, and leave garbage
  // behind that adds up to more memory while a model is loaded.
  private static final int PIECE = 1 << 16;
  private static final int COLUMNS = MicroKernel.COLUMNS;

  private final Shape shape;
  final int in;
  final int out;
  final float[] panels;

  PackedMatrix(Shape shape) {
    this.shape = shape;
    in = shape.dims().get(0).size();
    out = shape.dims().get(1).size();
    long length = (long) in * Packing.roundUp(out, COLUMNS);
    if (length > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "the matrix " + shape + " is longer than a host array; split it by columns");
    }
    panels = new float[(int) length];
  }

  static void requireMatrix(Tensor w) {
    if (w.shape().rank() != 2) {
      throw new ShapeMismatchException("a matrix has two axes, found " + w.shape());
    }
  }

  int panelCount() {
    return (out + COLUMNS - 1) / COLUMNS;
  }

  int panelFrom(int panel) {
    return panel * in * COLUMNS;
  }

  int columnsOf(int panel) {
    return Math.min(COLUMNS, out - panel * COLUMNS);
  }

  /** Fills the matrix from w [in, out]. */
  void fill(Tensor w, Workers workers) {
    if (w.storage() instanceof HostStorage host) {
      workers.run(
          panelCount(),
          (p, scratch) ->
              Packing.columns(
                  host.array(), p * COLUMNS, out, columnsOf(p), in, panels, panelFrom(p), COLUMNS));
      return;
    }
    int rows = Math.max(1, Math.min(in, PIECE / Math.max(1, out)));
    workers.run(
        (in + rows - 1) / rows,
        (part, scratch) -> {
          int first = part * rows;
          int count = Math.min(rows, in - first);
          float[] piece = scratch.floats(Scratch.Use.PIECE, count * out);
          w.storage().read((long) first * out, piece, 0, count * out);
          for (int p = 0; p < panelCount(); p++) {
            Packing.columns(
                piece,
                p * COLUMNS,
                out,
                columnsOf(p),
                count,
                panels,
                panelFrom(p) + first * COLUMNS,
                COLUMNS);
          }
        });
  }

  /** Fills the matrix from its transpose w [out, in]. */
  void fillTransposed(Tensor w, Workers workers) {
    if (w.storage() instanceof HostStorage host) {
      workers.run(
          panelCount(),
          (p, scratch) ->
              Packing.rows(
                  host.array(),
                  p * COLUMNS * in,
                  in,
                  columnsOf(p),
                  in,
                  panels,
                  panelFrom(p),
                  COLUMNS));
      return;
    }
    int group = Math.max(1, Math.min(panelCount(), PIECE / Math.max(1, COLUMNS * in)));
    workers.run(
        (panelCount() + group - 1) / group,
        (part, scratch) -> {
          int first = part * group;
          int end = Math.min(first + group, panelCount());
          int lines = Math.min(end * COLUMNS, out) - first * COLUMNS;
          float[] piece = scratch.floats(Scratch.Use.PIECE, lines * in);
          w.storage().read((long) first * COLUMNS * in, piece, 0, lines * in);
          for (int p = first; p < end; p++) {
            Packing.rows(
                piece,
                (p - first) * COLUMNS * in,
                in,
                columnsOf(p),
                in,
                panels,
                panelFrom(p),
                COLUMNS);
          }
        });
  }

  /** Copies column j to target[targetFrom, targetFrom + in). */
  void readColumn(int j, float[] target, int targetFrom) {
    int from = panelFrom(j / COLUMNS) + j % COLUMNS;
    for (int i = 0; i < in; i++) {
      target[targetFrom + i] = panels[from + i * COLUMNS];
    }
  }

  @Override
  public Shape shape() {
    return shape;
  }

  @Override
  public Tensor toTensor() {
    float[] values = new float[Math.multiplyExact(in, out)];
    for (int p = 0; p < panelCount(); p++) {
      for (int i = 0; i < in; i++) {
        System.arraycopy(
            panels, panelFrom(p) + i * COLUMNS, values, i * out + p * COLUMNS, columnsOf(p));
      }
    }
    return Tensor.wrap(shape, values);
  }

  @Override
  public long bytes() {
    return (long) panels.length * Float.BYTES;
  }
}
