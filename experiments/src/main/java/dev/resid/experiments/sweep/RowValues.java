package dev.resid.experiments.sweep;

import java.util.Objects;

/** The numbers that came out of each row of a data set; rows not yet computed have none. */
public final class RowValues {
  private final double[][] values;
  private final int columns;

  /**
   * Creates a table in which no row has values yet.
   *
   * @param rows how many rows
   * @param columns numbers a row
   */
  public RowValues(int rows, int columns) {
    this.values = new double[rows][];
    this.columns = columns;
  }

  /** Returns the number of rows, computed or not. */
  public int rows() {
    return values.length;
  }

  /** Returns the numbers a row has. */
  public int columns() {
    return columns;
  }

  /** Returns whether a row has its values. */
  public boolean has(int row) {
    return values[row] != null;
  }

  /** Returns whether every row has its values. */
  public boolean complete() {
    for (double[] row : values) {
      if (row == null) {
        return false;
      }
    }
    return true;
  }

  /**
   * Returns one number.
   *
   * @throws IllegalStateException if the row has no values yet
   */
  public double get(int row, int column) {
    return row(row)[column];
  }

  /**
   * Sets the numbers of a row.
   *
   * @param row which row
   * @param numbers as many as there are columns; kept, not copied
   */
  public void set(int row, double[] numbers) {
    if (numbers.length != columns) {
      throw new IllegalArgumentException(
          "row " + row + " has " + numbers.length + " values, expected " + columns);
    }
    values[row] = Objects.requireNonNull(numbers, "numbers");
  }

  /** Returns the numbers of a row, not a copy. */
  double[] row(int row) {
    if (values[row] == null) {
      throw new IllegalStateException("row " + row + " was not computed yet");
    }
    return values[row];
  }
}
