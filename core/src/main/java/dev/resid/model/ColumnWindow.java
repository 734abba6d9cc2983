package dev.resid.model;

import dev.resid.tensor.Storage;
import java.util.Objects;

/**
 * Some neighbouring columns of a matrix that is read from its file, as a matrix of their own. Whole
 * rows are read, some at a time, because a file is read best in large pieces.
 *
 * @param whole the matrix, row-major
 * @param columns its columns
 * @param first first column of the window
 * @param width columns of the window
 */
record ColumnWindow(Storage whole, int columns, int first, int width) implements Storage {
  private static final int PIECE = 1 << 14;

  @Override
  public long size() {
    return whole.size() / columns * width;
  }

  @Override
  public void read(long offset, float[] target, int targetOffset, int length) {
    Objects.checkFromIndexSize(offset, (long) length, size());
    Objects.checkFromIndexSize(targetOffset, length, target.length);
    if (length == 0) {
      return;
    }
    long firstRow = offset / width;
    long endRow = (offset + length - 1) / width + 1;
    int rows = (int) Math.min(endRow - firstRow, Math.max(1, PIECE / columns));
    float[] piece = new float[rows * columns];
    int done = 0;
    for (long row = firstRow; row < endRow; row += rows) {
      int count = (int) Math.min(rows, endRow - row);
      whole.read(row * columns, piece, 0, count * columns);
      for (int r = 0; r < count; r++) {
        int skip = done == 0 ? (int) (offset % width) : 0;
        int n = Math.min(width - skip, length - done);
        System.arraycopy(piece, r * columns + first + skip, target, targetOffset + done, n);
        done += n;
      }
    }
  }
}
