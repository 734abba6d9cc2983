package dev.resid.model;

import dev.resid.tokenizer.TokenBatch;

/**
 * One number a position, in float64: KL, L2 or cross-entropy of every position of every row. Rows
 * may differ in length; positions past a row's end do not exist.
 */
public final class PositionValues {
  private final double[] values;
  private final int[] lengths;
  private final int stride;

  /**
   * Creates values.
   *
   * @param values [row, pos] row-major, {@code values.length / lengths.length} positions a row
   * @param lengths positions that exist, by row
   */
  PositionValues(double[] values, int[] lengths) {
    this.values = values;
    this.lengths = lengths.clone();
    this.stride = lengths.length == 0 ? 0 : values.length / lengths.length;
  }

  static PositionValues of(double[] values, TokenBatch tokens, int copies) {
    int[] lengths = new int[tokens.rows() * copies];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = tokens.length(i % tokens.rows());
    }
    return new PositionValues(values, lengths);
  }

  /** Returns the number of rows. */
  public int rows() {
    return lengths.length;
  }

  /** Returns the number of positions of a row. */
  public int length(int row) {
    return lengths[row];
  }

  /**
   * Returns the value at a position.
   *
   * @throws IndexOutOfBoundsException if the row has no such position
   */
  public double get(int row, int pos) {
    if (pos < 0 || pos >= lengths[row]) {
      throw new IndexOutOfBoundsException(
          "position " + pos + " of a row of " + lengths[row] + " positions");
    }
    return values[row * stride + pos];
  }

  /** Returns the values of one row, a copy. */
  public double[] row(int row) {
    return java.util.Arrays.copyOfRange(values, row * stride, row * stride + lengths[row]);
  }

  /** Returns the mean over all positions of all rows; NaN if there are none. */
  public double mean() {
    return meanFrom(0);
  }

  /**
   * Returns the mean over the positions from one on, of all rows; NaN if there are none.
   *
   * @param firstPosition 0 for all, 1 to leave out the first
   */
  public double meanFrom(int firstPosition) {
    double sum = 0;
    long count = 0;
    for (int r = 0; r < lengths.length; r++) {
      for (int p = firstPosition; p < lengths[r]; p++) {
        sum += values[r * stride + p];
        count++;
      }
    }
    return sum / count;
  }
}
