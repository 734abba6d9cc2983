package dev.resid.sae.train;

/**
 * The point with the least sum of distances to the rows of an array.
 *
 * @source Weiszfeld 1937, "Sur le point pour lequel la somme des distances de n points donnés est
 *     minimum"
 */
final class GeometricMedian {
  private static final int MOST_STEPS = 100;

  /** Distances below this count as this, so that a row may be the median. */
  private static final double LEAST_DISTANCE = 1e-6;

  /** Relative decrease of the sum of distances below which the search ends. */
  private static final double ENOUGH = 1e-10;

  private GeometricMedian() {}

  /**
   * Returns the median of rows, from their mean by repeated means weighed by inverse distances.
   *
   * @param rows row-major
   * @param width of a row
   */
  static double[] of(float[] rows, int width) {
    int count = rows.length / width;
    double[] weights = new double[count];
    java.util.Arrays.fill(weights, 1);
    double[] point = weightedMean(rows, width, weights);
    double before = Double.POSITIVE_INFINITY;
    for (int step = 0; step < MOST_STEPS; step++) {
      double sum = 0;
      for (int r = 0; r < count; r++) {
        double distance = distance(rows, r * width, point);
        sum += distance;
        weights[r] = 1 / Math.max(distance, LEAST_DISTANCE);
      }
      if (before - sum <= ENOUGH * sum) {
        break;
      }
      before = sum;
      point = weightedMean(rows, width, weights);
    }
    return point;
  }

  /** Returns the mean of rows. */
  static double[] mean(float[] rows, int width) {
    double[] weights = new double[rows.length / width];
    java.util.Arrays.fill(weights, 1);
    return weightedMean(rows, width, weights);
  }

  private static double[] weightedMean(float[] rows, int width, double[] weights) {
    double[] sums = new double[width];
    double total = 0;
    for (int r = 0; r < weights.length; r++) {
      total += weights[r];
      for (int c = 0; c < width; c++) {
        sums[c] += weights[r] * rows[r * width + c];
      }
    }
    for (int c = 0; c < width; c++) {
      sums[c] /= total;
    }
    return sums;
  }

  private static double distance(float[] rows, int from, double[] point) {
    double squares = 0;
    for (int c = 0; c < point.length; c++) {
      double off = rows[from + c] - point[c];
      squares += off * off;
    }
    return Math.sqrt(squares);
  }
}
