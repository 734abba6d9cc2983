package dev.resid.experiments.direction;

import dev.resid.experiments.sweep.Workers;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Mean and covariance of vectors that arrive in chunks, in float64 and without keeping the vectors.
 *
 * <p>Every chunk is centred on its own mean before it is squared, and the chunks are merged in the
 * order of the calls; the same chunks in the same order give the same bits with any number of
 * threads.
 *
 * @source Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", formula
 *     2.1, written for vectors
 */
public final class Covariance {
  /** Vectors whose products are added in one sweep over a row of the matrix. */
  private static final int UNROLL = 4;

  private final int d;
  private long count;
  private final double[] mean;

  /** Σ (x − mean)(x − mean)ᵀ, row-major; only entries with column ≥ row are kept up to date. */
  private final double[] squares;

  /**
   * Creates an accumulator without vectors.
   *
   * @param dimension length of the vectors
   */
  public Covariance(int dimension) {
    if (dimension < 1) {
      throw new IllegalArgumentException("dimension is " + dimension + ", must be at least 1");
    }
    this.d = dimension;
    this.mean = new double[d];
    this.squares = new double[Math.multiplyExact(d, d)];
  }

  /**
   * Adds one chunk of vectors.
   *
   * @param values vectors one after the other
   * @param offset index of the first value of the first vector
   * @param n number of vectors; 0 changes nothing
   * @param workers share the rows of the matrix
   */
  public void add(float[] values, int offset, int n, Workers workers) {
    if (n == 0) {
      return;
    }
    double[] chunkMean = new double[d];
    for (int r = 0; r < n; r++) {
      for (int c = 0; c < d; c++) {
        chunkMean[c] += values[offset + r * d + c];
      }
    }
    double[] delta = new double[d];
    for (int c = 0; c < d; c++) {
      chunkMean[c] /= n;
      delta[c] = chunkMean[c] - mean[c];
    }
    double[] centred = new double[n * d];
    for (int r = 0; r < n; r++) {
      for (int c = 0; c < d; c++) {
        centred[r * d + c] = values[offset + r * d + c] - chunkMean[c];
      }
    }
    long total = count + n;
    double weight = (double) count * n / total;
    workers.forEach(
        d,
        i -> {
          addProducts(centred, n, i);
          addScaled(weight * delta[i], delta, i);
        });
    for (int c = 0; c < d; c++) {
      mean[c] += delta[c] * n / total;
    }
    count = total;
  }

  /** squares[i, j] += Σ_r centred[r, i]·centred[r, j] for j ≥ i. */
  private void addProducts(double[] centred, int n, int i) {
    int row = i * d;
    int r = 0;
    for (; r + UNROLL <= n; r += UNROLL) {
      int r0 = r * d;
      int r1 = r0 + d;
      int r2 = r1 + d;
      int r3 = r2 + d;
      double a0 = centred[r0 + i];
      double a1 = centred[r1 + i];
      double a2 = centred[r2 + i];
      double a3 = centred[r3 + i];
      for (int j = i; j < d; j++) {
        squares[row + j] +=
            a0 * centred[r0 + j]
                + a1 * centred[r1 + j]
                + a2 * centred[r2 + j]
                + a3 * centred[r3 + j];
      }
    }
    for (; r < n; r++) {
      double a = centred[r * d + i];
      for (int j = i; j < d; j++) {
        squares[row + j] += a * centred[r * d + j];
      }
    }
  }

  private void addScaled(double factor, double[] vector, int i) {
    for (int j = i; j < d; j++) {
      squares[i * d + j] += factor * vector[j];
    }
  }

  /**
   * Adds the vectors of another accumulator after those of this one.
   *
   * @throws IllegalArgumentException if its dimension differs
   */
  public void merge(Covariance later) {
    if (later.d != d) {
      throw new IllegalArgumentException(
          "cannot merge vectors of dimension " + later.d + " into vectors of dimension " + d);
    }
    if (later.count == 0) {
      return;
    }
    long total = count + later.count;
    double weight = (double) count * later.count / total;
    double[] delta = new double[d];
    for (int c = 0; c < d; c++) {
      delta[c] = later.mean[c] - mean[c];
    }
    for (int i = 0; i < d; i++) {
      for (int j = i; j < d; j++) {
        squares[i * d + j] += later.squares[i * d + j] + weight * delta[i] * delta[j];
      }
      mean[i] += delta[i] * later.count / total;
    }
    count = total;
  }

  /** Returns the length of the vectors. */
  public int dimension() {
    return d;
  }

  /** Returns the number of vectors added. */
  public long count() {
    return count;
  }

  /** Returns a copy of the mean vector. */
  public double[] mean() {
    return mean.clone();
  }

  /**
   * Returns the covariance matrix with divisor n − 1, row-major and symmetric.
   *
   * @throws IllegalStateException if there are fewer than two vectors
   */
  public double[] matrix() {
    requireTwo();
    double[] matrix = new double[d * d];
    for (int i = 0; i < d; i++) {
      for (int j = i; j < d; j++) {
        double value = squares[i * d + j] / (count - 1);
        matrix[i * d + j] = value;
        matrix[j * d + i] = value;
      }
    }
    return matrix;
  }

  /**
   * Returns the trace of {@link #matrix}: the variances of all coordinates added up.
   *
   * @throws IllegalStateException if there are fewer than two vectors
   */
  public double trace() {
    requireTwo();
    double sum = 0;
    for (int i = 0; i < d; i++) {
      sum += squares[i * d + i];
    }
    return sum / (count - 1);
  }

  /**
   * Writes the state, so that {@link #read} gives an accumulator that goes on bit for bit.
   *
   * @throws IOException if {@code out} refuses it
   */
  public void write(DataOutput out) throws IOException {
    out.writeInt(d);
    out.writeLong(count);
    for (double value : mean) {
      out.writeDouble(value);
    }
    for (int i = 0; i < d; i++) {
      for (int j = i; j < d; j++) {
        out.writeDouble(squares[i * d + j]);
      }
    }
  }

  /**
   * Returns the accumulator that {@link #write} wrote.
   *
   * @throws IOException if {@code in} ends early
   */
  public static Covariance read(DataInput in) throws IOException {
    Covariance read = new Covariance(in.readInt());
    read.count = in.readLong();
    for (int c = 0; c < read.d; c++) {
      read.mean[c] = in.readDouble();
    }
    for (int i = 0; i < read.d; i++) {
      for (int j = i; j < read.d; j++) {
        read.squares[i * read.d + j] = in.readDouble();
      }
    }
    return read;
  }

  private void requireTwo() {
    if (count < 2) {
      throw new IllegalStateException(
          "a covariance needs at least two vectors, there are " + count + "; use more tokens");
    }
  }
}
