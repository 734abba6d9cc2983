package dev.resid.experiments.sensitivity;

/**
 * The order of the numbers that come out of one row: for every direction and length the sums of KL
 * and L2 at position 0 and at the positions after it, then for every direction how many positions
 * those are: none in a row in which there is no such direction. The last position of a row is in
 * none of them, as in the publication.
 *
 * @param directions how many directions
 * @param lengths how many lengths
 */
record RowColumns(int directions, int lengths) {
  private static final int SUMS = 4;

  /** What is measured at a position. */
  enum Metric {
    /** KL(original‖perturbed) of the next-token distribution, in nats. */
    KL,
    /** Euclidean distance at the last resid_post. */
    L2
  }

  /** Which positions are averaged. */
  enum Positions {
    /** 0 to n−2: the published average. */
    ALL,
    /** 1 to n−2: without the first position, which usually is a begin-of-text token. */
    WITHOUT_FIRST
  }

  /** Returns how many numbers a row has. */
  int count() {
    return directions * (lengths * SUMS + 2);
  }

  /** Returns the column of a sum at position 0. */
  int first(int direction, int length, Metric metric) {
    return (direction * lengths + length) * SUMS + 2 * metric.ordinal();
  }

  /** Returns the column of a sum over the positions after 0. */
  int rest(int direction, int length, Metric metric) {
    return first(direction, length, metric) + 1;
  }

  /** Returns the column of how many positions are 0 and were measured along a direction. */
  int firstCount(int direction) {
    return directions * lengths * SUMS + 2 * direction;
  }

  /** Returns the column of how many positions come after 0 and were measured along a direction. */
  int restCount(int direction) {
    return firstCount(direction) + 1;
  }

  /**
   * Returns a mean over positions.
   *
   * @param sums sums of all columns over some rows
   */
  double mean(double[] sums, int direction, int length, Metric metric, Positions positions) {
    double rest = sums[rest(direction, length, metric)];
    return switch (positions) {
      case ALL ->
          (sums[first(direction, length, metric)] + rest)
              / (sums[firstCount(direction)] + sums[restCount(direction)]);
      case WITHOUT_FIRST -> rest / sums[restCount(direction)];
    };
  }
}
