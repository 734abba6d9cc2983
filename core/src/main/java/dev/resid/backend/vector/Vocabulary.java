package dev.resid.backend.vector;

import dev.resid.backend.vector.BlockProduct.Bias;
import dev.resid.backend.vector.BlockProduct.Panels;
import dev.resid.backend.vector.BlockProduct.Start;
import dev.resid.backend.vector.BlockProduct.Target;
import dev.resid.backend.vector.Scratch.Use;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

// Reductions over the vocabulary in float64, from logits or through the unembedding without an
// array [R, V]. The vocabulary is cut into tiles of TILE columns. Of each row and tile there are a
// maximum and sums of exponentials below it, in fixed lanes; the tiles are put together in
// ascending order. So a result depends on its row alone.
//
//   ln Σ exp a  =  m + ln S,  S = Σ exp(a − m)
//   KL(p‖q)     =  W/S − (m + ln S) + (m' + ln S'),  W = Σ exp(a − m)·(a − b)
//
// with a the logits of p and b those of q. Where a = b the three terms are 0, equal and equal, so
// KL is exactly 0. exp, sums and differences are float64: the error of KL is about 1e-14 times the
// mean of |a − b|, plus what the float32 logits bring.
//
// R rows, C d_model, V vocabulary.
final class Vocabulary {
  /** Columns of a tile. */
  static final int TILE = 512;

  // Tiles of one task: the base logits of its rows, 1.5 MiB, are kept for all copies.
  private static final int TILES = 8;
  private static final int BLOCK_ROWS = 96;
  private static final int ROWS = MicroKernel.ROWS;
  private static final int COLUMNS = MicroKernel.COLUMNS;
  private static final VectorSpecies<Double> D = Lanes.D;
  private static final int LD = Lanes.LD;

  private final Workers workers;

  Vocabulary(Workers workers) {
    this.workers = workers;
  }

  /** Maxima and sums of each row and tile. */
  private static final class Parts {
    final int tiles;
    final double[] max;
    final double[] sum;

    Parts(int rows, int tiles) {
      this.tiles = tiles;
      max = new double[rows * tiles];
      sum = new double[rows * tiles];
    }

    double max(int row) {
      double max = Double.NEGATIVE_INFINITY;
      for (int t = 0; t < tiles; t++) {
        max = Math.max(max, this.max[row * tiles + t]);
      }
      return max;
    }

    /** Returns Σ_t sums[t]·exp(max_t − max). */
    double total(double[] sums, int row, double max) {
      double total = 0;
      for (int t = 0; t < tiles; t++) {
        int at = row * tiles + t;
        if (this.max[at] != Double.NEGATIVE_INFINITY) {
          total += sums[at] * StrictMath.exp(this.max[at] - max);
        } else {
          total += sums[at];
        }
      }
      return total;
    }

    double logSumExp(int row) {
      double max = max(row);
      return max + StrictMath.log(total(sum, row, max));
    }
  }

  /** Returns ln Σ exp of every row of logits [R, V]. */
  double[] logSumExp(float[] logits, int rows, int vocabulary) {
    Parts parts = new Parts(rows, tiles(vocabulary));
    double[] result = new double[rows];
    workers.run(
        rows,
        (row, scratch) -> {
          for (int t = 0; t < parts.tiles; t++) {
            int n = Math.min(TILE, vocabulary - t * TILE);
            reduce(logits, row * vocabulary + t * TILE, n, parts, row, t, scratch);
          }
          result[row] = parts.logSumExp(row);
        });
    return result;
  }

  /** Returns ln Σ exp(x·w + bias) of every row, and the logit of its label in `picked`. */
  double[] unembedLogSumExp(
      float[] x, int rows, PackedMatrix w, float[] bias, int[] labels, double[] picked) {
    int tiles = tiles(w.out);
    Parts parts = new Parts(rows, tiles);
    int blockRows = blockRows(rows);
    int blocks = (rows + blockRows - 1) / blockRows;
    int chunks = (tiles + TILES - 1) / TILES;
    workers.run(
        blocks * chunks,
        (task, scratch) -> {
          int row = task / chunks * blockRows;
          int count = Math.min(blockRows, rows - row);
          float[] a = BlockProduct.packRows(x, row * w.in, w.in, count, w.in, scratch);
          float[] logits = scratch.floats(Use.LOGITS, BLOCK_ROWS * TILE);
          int firstTile = task % chunks * TILES;
          for (int t = firstTile; t < Math.min(tiles, firstTile + TILES); t++) {
            int n = Math.min(TILE, w.out - t * TILE);
            logits(a, count, w, bias, t, new Target(logits, 0, TILE), scratch);
            for (int r = 0; r < count; r++) {
              reduce(logits, r * TILE, n, parts, row + r, t, scratch);
              int label = labels[row + r] - t * TILE;
              if (label >= 0 && label < n) {
                picked[row + r] = logits[r * TILE + label];
              }
            }
          }
        });
    double[] result = new double[rows];
    workers.run(rows, (row, scratch) -> result[row] = parts.logSumExp(row));
    return result;
  }

  /** Returns KL(p‖q) of every row of `perturbed` [n·R, C] against row i mod R of `base` [R, C]. */
  double[] unembedKl(
      float[] base, int baseRows, float[] perturbed, int rows, PackedMatrix w, float[] bias) {
    int tiles = tiles(w.out);
    int copies = baseRows == 0 ? 0 : rows / baseRows;
    Parts p = new Parts(baseRows, tiles);
    Parts q = new Parts(rows, tiles);
    double[] weighted = new double[rows * tiles];
    int blockRows = blockRows(baseRows);
    int blocks = (baseRows + blockRows - 1) / blockRows;
    int chunks = (tiles + TILES - 1) / TILES;
    int ld = TILES * TILE;
    workers.run(
        blocks * chunks,
        (task, scratch) -> {
          int row = task / chunks * blockRows;
          int count = Math.min(blockRows, baseRows - row);
          int first = task % chunks * TILES;
          int last = Math.min(tiles, first + TILES);
          float[] original = scratch.floats(Use.BASE, BLOCK_ROWS * ld);
          float[] logits = scratch.floats(Use.LOGITS, BLOCK_ROWS * TILE);
          float[] a = BlockProduct.packRows(base, row * w.in, w.in, count, w.in, scratch);
          for (int t = first; t < last; t++) {
            int n = Math.min(TILE, w.out - t * TILE);
            int from = (t - first) * TILE;
            logits(a, count, w, bias, t, new Target(original, from, ld), scratch);
            for (int r = 0; r < count; r++) {
              reduce(original, r * ld + from, n, p, row + r, t, scratch);
            }
          }
          for (int copy = 0; copy < copies; copy++) {
            int changed = copy * baseRows + row;
            a = BlockProduct.packRows(perturbed, changed * w.in, w.in, count, w.in, scratch);
            for (int t = first; t < last; t++) {
              int n = Math.min(TILE, w.out - t * TILE);
              logits(a, count, w, bias, t, new Target(logits, 0, TILE), scratch);
              for (int r = 0; r < count; r++) {
                int from = r * ld + (t - first) * TILE;
                reduce(logits, r * TILE, n, q, changed + r, t, scratch);
                weighted[(changed + r) * tiles + t] =
                    weightedDifference(
                        original, from, logits, r * TILE, n, p.max[(row + r) * tiles + t], scratch);
              }
            }
          }
        });
    double[] result = new double[rows];
    workers.run(rows, (row, scratch) -> result[row] = kl(p, row % baseRows, q, row, weighted));
    return result;
  }

  private static double kl(Parts p, int baseRow, Parts q, int row, double[] weighted) {
    double maxP = p.max(baseRow);
    double maxQ = q.max(row);
    double sumP = p.total(p.sum, baseRow, maxP);
    double sumQ = q.total(q.sum, row, maxQ);
    double mean = 0;
    for (int t = 0; t < p.tiles; t++) {
      double max = p.max[baseRow * p.tiles + t];
      if (max != Double.NEGATIVE_INFINITY) {
        mean += weighted[row * p.tiles + t] * StrictMath.exp(max - maxP);
      }
    }
    return mean / sumP - (maxP - maxQ) - (StrictMath.log(sumP) - StrictMath.log(sumQ));
  }

  private static int tiles(int vocabulary) {
    return (vocabulary + TILE - 1) / TILE;
  }

  private int blockRows(int rows) {
    int blocks = Math.max(1, (rows + BLOCK_ROWS - 1) / BLOCK_ROWS);
    return Math.max(1, Packing.roundUp((rows + blocks - 1) / blocks, ROWS));
  }

  // One tile of logits for a block of rows.
  private static void logits(
      float[] packed,
      int count,
      PackedMatrix w,
      float[] bias,
      int tile,
      Target out,
      Scratch scratch) {
    int n = Math.min(TILE, w.out - tile * TILE);
    Panels panels = new Panels(w.panels, w.panelFrom(tile * TILE / COLUMNS), w.in * COLUMNS);
    Bias add = new Bias(bias, tile * TILE);
    BlockProduct.multiply(packed, count, w.in, panels, n, Start.ZERO, add, out, scratch);
  }

  // The maximum and Σ exp(x − max) of one row in one tile.
  private static void reduce(
      float[] x, int from, int n, Parts parts, int row, int tile, Scratch scratch) {
    float max = RowKernels.max(x, from, n);
    double[] e = scratch.doubles(TILE);
    Exponentials.exp(x, from, shift(max), e, n);
    DoubleVector sum = DoubleVector.zero(D);
    for (int i = 0; i < n; i += LD) {
      sum = sum.add(DoubleVector.fromArray(D, e, i));
    }
    double[] lanes = new double[LD];
    sum.intoArray(lanes, 0);
    parts.max[row * parts.tiles + tile] = max;
    parts.sum[row * parts.tiles + tile] = Lanes.sum(lanes);
  }

  // Σ exp(a − max)·(a − b) of one row in one tile; a term whose exponential is 0 is 0.
  private static double weightedDifference(
      float[] a, int aFrom, float[] b, int bFrom, int n, double max, Scratch scratch) {
    double[] e = scratch.doubles(TILE);
    Exponentials.exp(a, aFrom, shift(max), e, n);
    DoubleVector sum = DoubleVector.zero(D);
    int i = 0;
    for (; i <= n - LD; i += LD) {
      DoubleVector exp = DoubleVector.fromArray(D, e, i);
      DoubleVector d = RowKernels.load(a, aFrom + i).sub(RowKernels.load(b, bFrom + i));
      sum = sum.add(exp.mul(d).blend(0.0, exp.compare(VectorOperators.EQ, 0.0)));
    }
    double[] lanes = new double[LD];
    sum.intoArray(lanes, 0);
    for (int lane = 0; i < n; lane++, i++) {
      lanes[lane] += e[i] == 0 ? 0 : e[i] * ((double) a[aFrom + i] - b[bFrom + i]);
    }
    return Lanes.sum(lanes);
  }

  // What is subtracted before exp: the maximum, unless there is nothing above −∞.
  private static double shift(double max) {
    return max == Double.NEGATIVE_INFINITY ? 0 : max;
  }
}
