package dev.resid.backend.vector;

import dev.resid.backend.vector.Scratch.Use;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

// The product of a packed block of rows with packed panels of columns, on one thread.
//
// The sums of one panel, [rows, COLUMNS], lie close together in a buffer of their own until their
// last term: the kernel loads and stores them there, DEPTH terms at a time, and only the finished
// tile goes to the output, with the bias on the way. The output's rows are thousands of elements
// apart, so loading the sums from there would wait for the second level and for the page table, and
// adding the bias later would bring the whole output into the first level once more.
final class BlockProduct {
  /** Terms of a part of a panel: 32 KiB with 512-bit vectors, which stay in the first level. */
  static final int DEPTH = 256;

  private static final VectorSpecies<Float> F = Lanes.F;
  private static final int L = Lanes.L;
  private static final int ROWS = MicroKernel.ROWS;
  private static final int COLUMNS = MicroKernel.COLUMNS;

  private BlockProduct() {}

  /** Packed right operand: where its panels begin and how far apart they are. */
  record Panels(float[] values, int from, int stride) {}

  /** Row-major output: index of its first element and distance of its rows. */
  record Target(float[] values, int from, int ld) {}

  /** What a product begins its sums with. */
  enum Start {
    /** Zero: the output is overwritten. */
    ZERO,
    /** What the output holds: the product is added. */
    OUTPUT
  }

  /** What is added to the finished sums of each row: values from an index, one for each column. */
  record Bias(float[] values, int from) {
    /** Adds nothing, not even zeros, which would change the sign of some. */
    static final Bias NONE = new Bias(null, 0);
  }

  /** Packs rows into tiles, DEPTH terms of all of them after the other; the result is ROWS. */
  static float[] packRows(float[] x, int from, int ld, int rows, int terms, Scratch scratch) {
    int padded = Packing.roundUp(rows, ROWS);
    float[] to = scratch.floats(Use.ROWS, padded * terms);
    for (int k = 0; k < terms; k += DEPTH) {
      int depth = Math.min(DEPTH, terms - k);
      Packing.rowTiles(x, from + k, ld, rows, depth, to, padded * k, ROWS);
    }
    return to;
  }

  /**
   * Puts start[r, j] + Σ_k a[k, r]·b[k, j] + bias[j] into c[r, j] for `rows` rows and `columns`
   * columns; the bias is added after the last term.
   *
   * @param a tiles, DEPTH terms of all rows after the other, as {@link #packRows} makes them
   * @param terms at least one
   */
  static void multiply(
      float[] a,
      int rows,
      int terms,
      Panels b,
      int columns,
      Start start,
      Bias bias,
      Target c,
      Scratch scratch) {
    int padded = Packing.roundUp(rows, ROWS);
    int zeros = padded * COLUMNS;
    float[] sums = scratch.floats(Use.TILE, zeros + ROWS * COLUMNS);
    Arrays.fill(sums, zeros, zeros + ROWS * COLUMNS, 0f);
    for (int j = 0; j < columns; j += COLUMNS) {
      int width = Math.min(COLUMNS, columns - j);
      int bJ = b.from() + j / COLUMNS * b.stride();
      for (int k = 0; k < terms; k += DEPTH) {
        int depth = Math.min(DEPTH, terms - k);
        for (int r = 0; r < rows; r += ROWS) {
          int height = Math.min(ROWS, rows - r);
          int aKR = padded * k + r * depth;
          int at = r * COLUMNS;
          if (k == 0 && start == Start.OUTPUT) {
            load(c, r, j, height, width, sums, at);
          }
          int from = k == 0 && start == Start.ZERO ? zeros : at;
          MicroKernel.tile(a, aKR, b.values(), bJ + k * COLUMNS, depth, sums, from, at, COLUMNS);
          if (k + depth == terms) {
            store(sums, at, height, width, bias, c, r, j);
          }
        }
      }
    }
  }

  private static void load(
      Target c, int row, int column, int height, int width, float[] sums, int to) {
    for (int r = 0; r < height; r++) {
      int from = c.from() + (row + r) * c.ld() + column;
      System.arraycopy(c.values(), from, sums, to + r * COLUMNS, width);
    }
  }

  private static void store(
      float[] sums, int from, int height, int width, Bias bias, Target c, int row, int column) {
    int cRJ = c.from() + row * c.ld() + column;
    if (bias.values() == null) {
      for (int r = 0; r < height; r++) {
        System.arraycopy(sums, from + r * COLUMNS, c.values(), cRJ + r * c.ld(), width);
      }
    } else if (width == COLUMNS) {
      storeWholeRows(sums, from, height, bias.values(), bias.from() + column, c, cRJ);
    } else {
      for (int r = 0; r < height; r++) {
        for (int j = 0; j < width; j++) {
          c.values()[cRJ + r * c.ld() + j] =
              sums[from + r * COLUMNS + j] + bias.values()[bias.from() + column + j];
        }
      }
    }
  }

  private static void storeWholeRows(
      float[] sums, int from, int height, float[] bias, int biasJ, Target c, int cRJ) {
    FloatVector left = FloatVector.fromArray(F, bias, biasJ);
    FloatVector right = FloatVector.fromArray(F, bias, biasJ + L);
    for (int r = 0; r < height; r++) {
      int at = from + r * COLUMNS;
      int to = cRJ + r * c.ld();
      FloatVector.fromArray(F, sums, at).add(left).intoArray(c.values(), to);
      FloatVector.fromArray(F, sums, at + L).add(right).intoArray(c.values(), to + L);
    }
  }
}
