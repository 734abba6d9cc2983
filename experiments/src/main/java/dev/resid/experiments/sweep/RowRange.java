package dev.resid.experiments.sweep;

/**
 * Consecutive rows of a data set.
 *
 * @param from first row
 * @param to the row after the last one
 */
public record RowRange(int from, int to) {
  /** Checks that there is at least one row. */
  public RowRange {
    if (from < 0 || to <= from) {
      throw new IllegalArgumentException("rows " + from + " to " + to + " are no range");
    }
  }

  /** Returns the number of rows. */
  public int size() {
    return to - from;
  }
}
