package dev.resid.tensor;

/**
 * Rows of which only some entries are kept, in compressed form: the pairs of row r stand from
 * {@code starts[r]} to {@code starts[r + 1]}, in ascending order of index. What is not kept counts
 * as 0. The arrays are not copied; whoever has them does not write to them.
 *
 * @param columns entries a row could have
 * @param starts where each row's pairs start, [rows + 1], from 0
 * @param indices columns, ascending within a row; at least {@code starts[rows]} entries
 * @param values their values; at least {@code starts[rows]} entries
 */
public record SparseRows(int columns, long[] starts, int[] indices, float[] values) {
  /**
   * Checks that the arrays fit together; indices are not looked at.
   *
   * @throws ShapeMismatchException if they do not
   */
  public SparseRows {
    long entries = Math.min(indices.length, values.length);
    if (starts.length < 1 || starts[0] != 0 || starts[starts.length - 1] > entries) {
      throw new ShapeMismatchException(
          "compressed rows start at 0 and end at most at "
              + entries
              + ", the number of entries; got "
              + starts.length
              + " starts"
              + (starts.length == 0
                  ? ""
                  : " from " + starts[0] + " to " + starts[starts.length - 1]));
    }
    for (int r = 0; r + 1 < starts.length; r++) {
      if (starts[r] > starts[r + 1]) {
        throw new ShapeMismatchException(
            "row " + r + " starts at " + starts[r] + ", after its end " + starts[r + 1]);
      }
    }
  }

  /** Returns the number of rows. */
  public int rows() {
    return starts.length - 1;
  }

  /** Returns where a row's pairs start in {@link #indices} and {@link #values}. */
  public int start(int row) {
    return (int) starts[row];
  }

  /** Returns where a row's pairs end, exclusive. */
  public int end(int row) {
    return (int) starts[row + 1];
  }

  /** Returns the number of pairs of all rows together. */
  public int count() {
    return (int) starts[starts.length - 1];
  }
}
