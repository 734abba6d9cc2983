package dev.resid.backend.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

// Copies parts of row-major arrays into the layouts of MicroKernel. In both, `width` lines lie side
// by side for each step of the depth, and lines that do not exist are zeros:
//
//   to[toFrom + k * width + r] = line r at depth k
final class Packing {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final int L = Lanes.L;
  private static final int COLUMNS = MicroKernel.COLUMNS;

  private Packing() {}

  /** Packs lines that are rows: line r at depth k is from[fromAt + r·ld + k]. */
  static void rows(
      float[] from, int fromAt, int ld, int lines, int depth, float[] to, int toFrom, int width) {
    int r = 0;
    for (; r + 4 <= lines; r += 4) {
      int from0 = fromAt + r * ld;
      int from1 = from0 + ld;
      int from2 = from1 + ld;
      int from3 = from2 + ld;
      int toR = toFrom + r;
      for (int k = 0; k < depth; k++) {
        int toK = toR + k * width;
        to[toK] = from[from0 + k];
        to[toK + 1] = from[from1 + k];
        to[toK + 2] = from[from2 + k];
        to[toK + 3] = from[from3 + k];
      }
    }
    for (; r < lines; r++) {
      int fromR = fromAt + r * ld;
      for (int k = 0; k < depth; k++) {
        to[toFrom + r + k * width] = from[fromR + k];
      }
    }
    if (lines < width) {
      for (int k = 0; k < depth; k++) {
        Arrays.fill(to, toFrom + k * width + lines, toFrom + (k + 1) * width, 0f);
      }
    }
  }

  /** Packs lines that are columns: line r at depth k is from[fromAt + k·ld + r]. */
  static void columns(
      float[] from, int fromAt, int ld, int lines, int depth, float[] to, int toFrom, int width) {
    if (lines == COLUMNS && width == COLUMNS) {
      for (int k = 0; k < depth; k++) {
        int fromK = fromAt + k * ld;
        int toK = toFrom + k * COLUMNS;
        FloatVector.fromArray(F, from, fromK).intoArray(to, toK);
        FloatVector.fromArray(F, from, fromK + L).intoArray(to, toK + L);
      }
      return;
    }
    int k = 0;
    if (lines == width && width <= L) {
      // Whole vectors: what is written beyond a line is overwritten by the next.
      int safe = Math.min(depth - 1, (from.length - L - fromAt) / Math.max(1, ld));
      for (; k < safe; k++) {
        FloatVector.fromArray(F, from, fromAt + k * ld).intoArray(to, toFrom + k * width);
      }
    }
    for (; k < depth; k++) {
      int fromK = fromAt + k * ld;
      int toK = toFrom + k * width;
      for (int r = 0; r < lines; r++) {
        to[toK + r] = from[fromK + r];
      }
      for (int r = lines; r < width; r++) {
        to[toK + r] = 0f;
      }
    }
  }

  /** Packs rows into consecutive tiles or panels of `width` lines, each [depth, width]. */
  static void rowTiles(
      float[] from, int fromAt, int ld, int lines, int depth, float[] to, int toFrom, int width) {
    for (int r = 0; r < lines; r += width) {
      rows(
          from,
          fromAt + r * ld,
          ld,
          Math.min(width, lines - r),
          depth,
          to,
          toFrom + r * depth,
          width);
    }
  }

  // Goes through the source row by row: its rows may be pages apart, and a tile at a time would
  // touch every page again for each tile.
  /** Packs columns into consecutive tiles or panels of `width` lines, each [depth, width]. */
  static void columnTiles(
      float[] from, int fromAt, int ld, int lines, int depth, float[] to, int toFrom, int width) {
    int whole = lines / width * width;
    for (int k = 0; k < depth; k++) {
      int fromK = fromAt + k * ld;
      int toK = toFrom + k * width;
      for (int r = 0; r < whole; r += width) {
        int toR = toK + r * depth;
        for (int i = 0; i < width; i++) {
          to[toR + i] = from[fromK + r + i];
        }
      }
    }
    if (whole < lines) {
      columns(from, fromAt + whole, ld, lines - whole, depth, to, toFrom + whole * depth, width);
    }
  }

  /** Returns n rounded up to a multiple. */
  static int roundUp(int n, int multiple) {
    return (n + multiple - 1) / multiple * multiple;
  }
}
