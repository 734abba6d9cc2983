package dev.resid.backend.vector;

import dev.resid.backend.vector.BlockProduct.Panels;
import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

// A weight matrix [in, out] as panels of COLUMNS columns, each [in, COLUMNS]; the last panel is
// filled up with zero columns. A product walks a panel from front to back, so it reads memory in
// order however many rows it has. Panels are packed in a buffer of the heap, and copied.
final class PackedMatrix implements Matrix {
  // How much of a mapped file is read at a time. Larger pieces are no faster, and leave garbage
  // behind that adds up to more memory while a model is loaded.
  private static final int PIECE = 1 << 16;
  private static final int COLUMNS = MicroKernel.COLUMNS;

  private final Shape shape;
  final int in;
  final int out;
  final MemorySegment panels;

  PackedMatrix(Shape shape) {
    this.shape = shape;
    in = shape.dims().get(0).size();
    out = shape.dims().get(1).size();
    panels = PanelMemory.allocate((long) in * Packing.roundUp(out, COLUMNS));
  }

  static void requireMatrix(Tensor w) {
    if (w.shape().rank() != 2) {
      throw new ShapeMismatchException("a matrix has two axes, found " + w.shape());
    }
  }

  int panelCount() {
    return (out + COLUMNS - 1) / COLUMNS;
  }

  /** Returns the byte where row i of a panel begins. */
  long at(int panel, int i) {
    return ((long) panel * in + i) * (COLUMNS * 4L);
  }

  /** Returns the panels from one on, with the rows from i on. */
  Panels panels(int panel, int i) {
    return new Panels(panels, at(panel, i), at(1, 0));
  }

  int columnsOf(int panel) {
    return Math.min(COLUMNS, out - panel * COLUMNS);
  }

  /** Fills the matrix from w [in, out]. */
  void fill(Tensor w, Workers workers) {
    if (w.storage() instanceof HostStorage host) {
      workers.run(
          panelCount(), (p, scratch) -> putRows(host.array(), p * COLUMNS, in, p, 0, scratch));
      return;
    }
    int rows = Math.max(1, Math.min(in, PIECE / Math.max(1, out)));
    workers.run(
        (in + rows - 1) / rows,
        (part, scratch) -> {
          int first = part * rows;
          int count = Math.min(rows, in - first);
          float[] piece = scratch.floats(Use.PIECE, count * out);
          w.storage().read((long) first * out, piece, 0, count * out);
          for (int p = 0; p < panelCount(); p++) {
            putRows(piece, p * COLUMNS, count, p, first, scratch);
          }
        });
  }

  // Rows of [rows, out] from index `from` on, `count` of them, as rows from `first` on of a panel.
  private void putRows(float[] w, int from, int count, int panel, int first, Scratch scratch) {
    float[] packed = scratch.floats(Use.PANEL, count * COLUMNS);
    Packing.columns(w, from, out, columnsOf(panel), count, packed, 0, COLUMNS);
    PanelMemory.put(packed, 0, panels, at(panel, first), count * COLUMNS);
  }

  /** Fills the matrix from its transpose w [out, in]. */
  void fillTransposed(Tensor w, Workers workers) {
    if (w.storage() instanceof HostStorage host) {
      workers.run(
          panelCount(), (p, scratch) -> putColumns(host.array(), p * COLUMNS * in, p, scratch));
      return;
    }
    int group = Math.max(1, Math.min(panelCount(), PIECE / Math.max(1, COLUMNS * in)));
    workers.run(
        (panelCount() + group - 1) / group,
        (part, scratch) -> {
          int first = part * group;
          int end = Math.min(first + group, panelCount());
          int lines = Math.min(end * COLUMNS, out) - first * COLUMNS;
          float[] piece = scratch.floats(Use.PIECE, lines * in);
          w.storage().read((long) first * COLUMNS * in, piece, 0, lines * in);
          for (int p = first; p < end; p++) {
            putColumns(piece, (p - first) * COLUMNS * in, p, scratch);
          }
        });
  }

  // Columns [columns, in] from index `from` on as a panel.
  private void putColumns(float[] w, int from, int panel, Scratch scratch) {
    float[] packed = scratch.floats(Use.PANEL, in * COLUMNS);
    Packing.plainRowTiles(w, from, in, columnsOf(panel), in, packed, 0, COLUMNS);
    PanelMemory.put(packed, 0, panels, at(panel, 0), in * COLUMNS);
  }

  /** Copies column j to target[targetFrom, targetFrom + in). */
  void readColumn(int j, float[] target, int targetFrom) {
    long from = at(j / COLUMNS, 0) + j % COLUMNS * 4L;
    for (int i = 0; i < in; i++) {
      target[targetFrom + i] = panels.get(ValueLayout.JAVA_FLOAT, from + i * (COLUMNS * 4L));
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
        PanelMemory.get(panels, at(p, i), values, i * out + p * COLUMNS, columnsOf(p));
      }
    }
    return Tensor.wrap(shape, values);
  }

  @Override
  public long bytes() {
    return panels.byteSize();
  }
}
