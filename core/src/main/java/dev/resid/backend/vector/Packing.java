package dev.resid.backend.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

// Copies parts of row-major arrays into the layouts of MicroKernel. In both, `width` lines lie side
// by side for each step of the depth, and lines that do not exist are zeros:
//
//   to[toFrom + k * width + r] = line r at depth k
final class Packing {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final int L = Lanes.L;
  private static final int COLUMNS = MicroKernel.COLUMNS;

  // What is written stays in the first-level cache until all lines have been there.
  private static final int DEPTH_AT_A_TIME = 128;
  private static final VectorSpecies<Float> FOUR = FloatVector.SPECIES_128;
  private static final VectorSpecies<Long> PAIRS = VectorSpecies.of(long.class, F.vectorShape());
  private static final long LOW = 0xFFFFFFFFL;
  private static final VectorShuffle<Long> SWAP = VectorShuffle.fromOp(PAIRS, i -> i ^ 1);
  private static final VectorMask<Long> SECOND =
      VectorMask.fromLong(PAIRS, 0xAAAAAAAAAAAAAAAAL >>> (64 - PAIRS.length()));

  private Packing() {}

  /** Packs lines that are rows: line r at depth k is from[fromAt + r·ld + k]. */
  static void rows(
      float[] from, int fromAt, int ld, int lines, int depth, float[] to, int toFrom, int width) {
    int r = 0;
    for (; r + 4 <= lines; r += 4) {
      fourRows(from, fromAt + r * ld, ld, depth, to, toFrom + r, width);
    }
    oneByOne(from, fromAt, ld, r, lines, depth, to, toFrom, width);
  }

  // The lines from `first` on, and zeros for those that do not exist.
  private static void oneByOne(
      float[] from,
      int fromAt,
      int ld,
      int first,
      int lines,
      int depth,
      float[] to,
      int toFrom,
      int width) {
    for (int k = 0; k < depth; k += DEPTH_AT_A_TIME) {
      int count = Math.min(DEPTH_AT_A_TIME, depth - k);
      for (int r = first; r < lines; r++) {
        copyLine(from, fromAt + r * ld + k, count, to, toFrom + r + k * width, width);
      }
    }
    if (lines < width) {
      for (int k = 0; k < depth; k++) {
        Arrays.fill(to, toFrom + k * width + lines, toFrom + (k + 1) * width, 0f);
      }
    }
  }

  private static void copyLine(
      float[] from, int fromAt, int count, float[] to, int toFrom, int width) {
    int at = toFrom;
    for (int k = fromAt; k < fromAt + count; k++) {
      to[at] = from[k];
      at += width;
    }
  }

  // Transposes blocks of four rows and four depths inside vectors, in two steps: neighbours in
  // depth are paired with those of the next row, and pairs with those of the next two rows.
  // Quarters of the result are four lines at one depth, and go to where they belong through a small
  // buffer.
  private static void fourRows(
      float[] from, int fromAt, int ld, int depth, float[] to, int toFrom, int width) {
    int from1 = fromAt + ld;
    int from2 = from1 + ld;
    int from3 = from2 + ld;
    int k = 0;
    if (L > 4) {
      float[] turned = new float[4 * L];
      for (; k <= depth - L; k += L) {
        LongVector a = FloatVector.fromArray(F, from, fromAt + k).reinterpretAsLongs();
        LongVector b = FloatVector.fromArray(F, from, from1 + k).reinterpretAsLongs();
        LongVector c = FloatVector.fromArray(F, from, from2 + k).reinterpretAsLongs();
        LongVector d = FloatVector.fromArray(F, from, from3 + k).reinterpretAsLongs();
        LongVector evenAb = a.and(LOW).or(b.lanewise(VectorOperators.LSHL, 32));
        LongVector oddAb = a.lanewise(VectorOperators.LSHR, 32).or(b.and(~LOW));
        LongVector evenCd = c.and(LOW).or(d.lanewise(VectorOperators.LSHL, 32));
        LongVector oddCd = c.lanewise(VectorOperators.LSHR, 32).or(d.and(~LOW));
        keep(evenAb.blend(evenCd.rearrange(SWAP), SECOND), turned, 0);
        keep(oddAb.blend(oddCd.rearrange(SWAP), SECOND), turned, L);
        keep(evenAb.rearrange(SWAP).blend(evenCd, SECOND), turned, 2 * L);
        keep(oddAb.rearrange(SWAP).blend(oddCd, SECOND), turned, 3 * L);
        for (int q = 0; q < L; q += 4) {
          int toK = toFrom + (k + q) * width;
          FloatVector.fromArray(FOUR, turned, q).intoArray(to, toK);
          FloatVector.fromArray(FOUR, turned, L + q).intoArray(to, toK + width);
          FloatVector.fromArray(FOUR, turned, 2 * L + q).intoArray(to, toK + 2 * width);
          FloatVector.fromArray(FOUR, turned, 3 * L + q).intoArray(to, toK + 3 * width);
        }
      }
    }
    for (; k < depth; k++) {
      int toK = toFrom + k * width;
      to[toK] = from[fromAt + k];
      to[toK + 1] = from[from1 + k];
      to[toK + 2] = from[from2 + k];
      to[toK + 3] = from[from3 + k];
    }
  }

  private static void keep(LongVector x, float[] to, int at) {
    x.reinterpretAsFloats().intoArray(to, at);
  }

  /** Packs lines that are columns: line r at depth k is from[fromAt + k·ld + r]. */
  static void columns(
      float[] from, int fromAt, int ld, int lines, int depth, float[] to, int toFrom, int width) {
    if (lines == COLUMNS && width == COLUMNS) {
      for (int k = 0; k < depth; k++) {
        System.arraycopy(from, fromAt + k * ld, to, toFrom + k * COLUMNS, COLUMNS);
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

  /**
   * As {@link #rowTiles}, without vectors, for few rows in all and for what a program does only
   * once: that does not run a loop often enough for the compiler to make vector instructions of it,
   * and until then every vector is an object. That takes as long as the product of few rows.
   */
  static void plainRowTiles(
      float[] from, int fromAt, int ld, int lines, int depth, float[] to, int toFrom, int width) {
    for (int r = 0; r < lines; r += width) {
      int count = Math.min(width, lines - r);
      oneByOne(from, fromAt + r * ld, ld, 0, count, depth, to, toFrom + r * depth, width);
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
