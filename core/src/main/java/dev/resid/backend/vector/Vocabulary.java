package dev.resid.backend.vector;

import dev.resid.backend.vector.BlockProduct.Panels;
import dev.resid.backend.vector.BlockProduct.Sink;
import dev.resid.backend.vector.BlockProduct.Start;
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
  /** Columns of a tile: a group of panels. */
  static final int TILE = BlockProduct.WIDTH;

  private static final int ROWS = MicroKernel.ROWS;
  private static final int COLUMNS = MicroKernel.COLUMNS;
  private static final VectorSpecies<Double> D = Lanes.D;
  private static final int LD = Lanes.LD;

  private final Workers workers;
  private final FloatPool pool;

  Vocabulary(Workers workers, FloatPool pool) {
    this.workers = workers;
    this.pool = pool;
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
    double[] result = new double[rows];
    int slab = PackedRows.slab(w.in);
    for (int first = 0; first < rows; first += slab) {
      int firstRow = first;
      PackedRows a =
          MatrixProduct.packRows(x, first, Math.min(slab, rows - first), w.in, workers, pool);
      Parts parts = new Parts(a.rows(), tiles(w.out));
      Blocks blocks = Blocks.of(a.rows(), w.in, w.out, workers.count());
      workers.run(
          blocks.tasks(),
          (task, scratch) ->
              blocks.run(
                  task,
                  scratch,
                  (row, count, column, n, own) -> {
                    Sink sink =
                        (r, height, sums, from, ld) -> {
                          for (int i = 0; i < height; i++) {
                            int at = from + i * ld;
                            Elementwise.addInPlace(sums, at, bias, column, n);
                            reduce(sums, at, n, parts, r + i, column / TILE, own);
                            int label = labels[firstRow + r + i] - column;
                            if (label >= 0 && label < n) {
                              picked[firstRow + r + i] = sums[at + label];
                            }
                          }
                        };
                    Panels b = w.panels(column / COLUMNS, 0);
                    BlockProduct.multiply(a, row, count, b, n, Start.ZERO, sink, own);
                  }));
      pool.give(a.tiles());
      workers.run(a.rows(), (row, scratch) -> result[firstRow + row] = parts.logSumExp(row));
    }
    return result;
  }

  /**
   * Returns KL(p‖q) of every row of `perturbed` [n·R, C] against row i mod R of `base` [R, C], and
   * the cross-entropies of q in `nats`: 0 where a label is −1.
   */
  double[] unembedKl(
      float[] base,
      int baseRows,
      float[] perturbed,
      PackedMatrix w,
      float[] bias,
      int[] labels,
      double[] nats) {
    int rows = labels.length;
    double[] result = new double[rows];
    int copies = baseRows == 0 ? 0 : rows / baseRows;
    int slab = Math.max(ROWS, PackedRows.slab(w.in) / (copies + 1) / ROWS * ROWS);
    for (int first = 0; first < baseRows; first += slab) {
      int count = Math.min(slab, baseRows - first);
      PackedRows[] packed = new PackedRows[copies + 1];
      packed[0] = MatrixProduct.packRows(base, first, count, w.in, workers, pool);
      for (int copy = 0; copy < copies; copy++) {
        packed[copy + 1] =
            MatrixProduct.packRows(perturbed, copy * baseRows + first, count, w.in, workers, pool);
      }
      kl(packed, w, bias, first, baseRows, labels, nats, result);
      for (PackedRows rowsOfCopy : packed) {
        pool.give(rowsOfCopy.tiles());
      }
    }
    return result;
  }

  // KL of some rows of all copies against those of the base, which come first.
  private void kl(
      PackedRows[] packed,
      PackedMatrix w,
      float[] bias,
      int firstRow,
      int baseRows,
      int[] labels,
      double[] nats,
      double[] result) {
    int count = packed[0].rows();
    int copies = packed.length - 1;
    int tiles = tiles(w.out);
    Parts p = new Parts(count, tiles);
    Parts q = new Parts(count * copies, tiles);
    double[] weighted = new double[count * copies * tiles];
    double[] picked = new double[count * copies];
    Blocks blocks = Blocks.of(count, w.in, w.out, workers.count());
    workers.run(
        blocks.tasks(),
        (task, scratch) ->
            blocks.run(
                task,
                scratch,
                (row, rows, column, n, own) -> {
                  Panels b = w.panels(column / COLUMNS, 0);
                  float[] original = own.floats(Use.BASE, ROWS * TILE);
                  for (int r = row; r < row + rows; r += ROWS) {
                    int height = Math.min(ROWS, row + rows - r);
                    Sink keep =
                        (at, lines, sums, from, ld) -> {
                          System.arraycopy(sums, from, original, 0, lines * ld);
                          for (int i = 0; i < lines; i++) {
                            Elementwise.addInPlace(original, i * ld, bias, column, n);
                            reduce(original, i * ld, n, p, at + i, column / TILE, own);
                          }
                        };
                    BlockProduct.multiply(packed[0], r, height, b, n, Start.ZERO, keep, own);
                    for (int copy = 0; copy < copies; copy++) {
                      int from = copy * count;
                      int labelsFrom = copy * baseRows + firstRow;
                      Sink compare =
                          (at, lines, sums, sumsAt, ld) -> {
                            for (int i = 0; i < lines; i++) {
                              int x = sumsAt + i * ld;
                              Elementwise.addInPlace(sums, x, bias, column, n);
                              reduce(sums, x, n, q, from + at + i, column / TILE, own);
                              int label = labels[labelsFrom + at + i] - column;
                              if (label >= 0 && label < n) {
                                picked[from + at + i] = sums[x + label];
                              }
                              weighted[(from + at + i) * tiles + column / TILE] =
                                  weightedDifference(
                                      original,
                                      i * ld,
                                      sums,
                                      x,
                                      n,
                                      p.max[(at + i) * tiles + column / TILE],
                                      own);
                            }
                          };
                      BlockProduct.multiply(
                          packed[copy + 1], r, height, b, n, Start.ZERO, compare, own);
                    }
                  }
                }));
    workers.run(
        count * copies,
        (i, scratch) -> {
          int row = i / count * baseRows + firstRow + i % count;
          result[row] = kl(p, i % count, q, i, weighted);
          nats[row] = labels[row] < 0 ? 0 : q.logSumExp(i) - picked[i];
        });
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
