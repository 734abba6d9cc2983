package dev.resid.experiments.direction;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.util.Arrays;

/**
 * The activations that are going to be perturbed, and which rows of the data set they belong to:
 * draws are keyed by that row, not by the place in the batch.
 */
public final class BasePoints {
  private final Shape shape;
  private final float[] values;
  private final int firstRow;
  private final int[] lengths;

  private BasePoints(Shape shape, float[] values, int firstRow, int[] lengths) {
    this.shape = shape;
    this.values = values;
    this.firstRow = firstRow;
    this.lengths = lengths;
  }

  /**
   * Returns base points of consecutive rows.
   *
   * @param activation [batch, pos, d_model]
   * @param firstRow number of the first row in the data set, from 0
   * @param lengths tokens of each row; positions after them are padding and get no direction
   * @throws ShapeMismatchException if the activation has other axes or another batch size
   */
  public static BasePoints of(Tensor activation, int firstRow, int[] lengths) {
    Shape shape = activation.shape();
    if (shape.rank() != 3
        || shape.indexOf(Axis.BATCH) != 0
        || shape.indexOf(Axis.POS) != 1
        || shape.size(Axis.BATCH) != lengths.length) {
      throw new ShapeMismatchException(
          "base points are " + shape + ", expected [batch=" + lengths.length + ", pos, d_model]");
    }
    for (int length : lengths) {
      if (length < 1 || length > shape.size(Axis.POS)) {
        throw new ShapeMismatchException(
            "a row of " + length + " tokens does not fit into " + shape);
      }
    }
    if (firstRow < 0) {
      throw new IllegalArgumentException("first row is " + firstRow + ", must be at least 0");
    }
    return new BasePoints(shape, activation.toArray(), firstRow, lengths.clone());
  }

  /**
   * Returns base points of rows 0, 1, … that all have the full length.
   *
   * @param activation [batch, pos, d_model]
   */
  public static BasePoints of(Tensor activation) {
    int[] lengths = new int[activation.shape().size(Axis.BATCH)];
    Arrays.fill(lengths, activation.shape().size(Axis.POS));
    return of(activation, 0, lengths);
  }

  /** Returns the activations, [batch, pos, d_model]; not a copy. */
  Tensor activation() {
    return Tensor.wrap(shape, values);
  }

  /** Returns the shape of the activations, [batch, pos, d_model]. */
  public Shape shape() {
    return shape;
  }

  /** Returns the number of rows. */
  public int rows() {
    return lengths.length;
  }

  /** Returns the number of the first row in the data set. */
  public int firstRow() {
    return firstRow;
  }

  /** Returns the number of tokens of a row. */
  public int length(int row) {
    return lengths[row];
  }

  /** Returns the length of the vectors. */
  int dimension() {
    return shape.dims().get(2).size();
  }

  /** Returns one value of the activation at a row of this batch and a position. */
  float value(int row, int pos, int c) {
    return values[offset(row, pos) + c];
  }

  /** Returns where the vector of a row and position begins in the row-major values. */
  int offset(int row, int pos) {
    return (row * shape.size(Axis.POS) + pos) * dimension();
  }
}
