package dev.resid.experiments.direction;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Real activations to draw from, each with the row and position it comes from. The vectors may lie
 * in a mapped file, so that a large pool needs no heap. Position 0 never belongs to a pool: GPT-2's
 * first position has a norm thirty to forty times larger than all others.
 */
public final class ActivationPool {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment vectors;
  private final int d;
  private final int[] rows;
  private final int[] positions;

  private ActivationPool(MemorySegment vectors, int d, int[] rows, int[] positions) {
    this.vectors = vectors;
    this.d = d;
    this.rows = rows;
    this.positions = positions;
  }

  /**
   * Returns a pool on vectors of little-endian float32 numbers, one after the other.
   *
   * @param vectors must stay readable as long as the pool is used
   * @param dimension length of the vectors
   * @param rows row of each vector in the data set
   * @param positions position of each vector in its row, at least 1
   * @throws IllegalArgumentException if the sizes disagree or a position is 0
   */
  public static ActivationPool of(
      MemorySegment vectors, int dimension, int[] rows, int[] positions) {
    if (rows.length != positions.length
        || vectors.byteSize() < (long) rows.length * dimension * Float.BYTES) {
      throw new IllegalArgumentException(
          rows.length
              + " rows, "
              + positions.length
              + " positions and "
              + vectors.byteSize()
              + " bytes are no pool of vectors of dimension "
              + dimension);
    }
    for (int position : positions) {
      if (position < 1) {
        throw new IllegalArgumentException("position " + position + " does not belong in a pool");
      }
    }
    return new ActivationPool(vectors, dimension, rows.clone(), positions.clone());
  }

  /**
   * Returns a pool of every position but the first of every row.
   *
   * @param base activations [batch, pos, d_model]
   */
  public static ActivationPool of(BasePoints base) {
    int n = 0;
    for (int r = 0; r < base.rows(); r++) {
      n += base.length(r) - 1;
    }
    int d = base.dimension();
    int[] rows = new int[n];
    int[] positions = new int[n];
    MemorySegment vectors = MemorySegment.ofArray(new float[Math.multiplyExact(n, d)]);
    int i = 0;
    for (int r = 0; r < base.rows(); r++) {
      for (int pos = 1; pos < base.length(r); pos++) {
        rows[i] = base.firstRow() + r;
        positions[i] = pos;
        for (int c = 0; c < d; c++) {
          vectors.set(FLOAT, ((long) i * d + c) * Float.BYTES, base.value(r, pos, c));
        }
        i++;
      }
    }
    return new ActivationPool(vectors, d, rows, positions);
  }

  /** Returns the number of vectors. */
  public int size() {
    return rows.length;
  }

  /** Returns the length of the vectors. */
  public int dimension() {
    return d;
  }

  /** Returns the row a vector comes from. */
  public int row(int index) {
    return rows[index];
  }

  /** Returns the position a vector comes from. */
  public int position(int index) {
    return positions[index];
  }

  /**
   * Returns a copy of a vector.
   *
   * @param index from 0
   * @return [d_model]
   */
  public Tensor get(int index) {
    float[] copy = new float[d];
    for (int c = 0; c < d; c++) {
      copy[c] = value(index, c);
    }
    return Tensor.wrap(Shape.of(Axis.D_MODEL, d), copy);
  }

  /** Returns the Euclidean distance of two vectors, summed in float64. */
  public double distance(int first, int second) {
    double sum = 0;
    for (int c = 0; c < d; c++) {
      double difference = (double) value(first, c) - value(second, c);
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }

  /** Returns one value of a vector. */
  float value(int index, int c) {
    return vectors.get(FLOAT, ((long) index * d + c) * Float.BYTES);
  }

  /** Returns whether a vector comes from this row and position. */
  boolean isFrom(int index, int row, int position) {
    return rows[index] == row && positions[index] == position;
  }
}
