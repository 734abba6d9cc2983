package dev.resid.experiments.plateau;

/**
 * Where a curve y_0 … y_{m−1} over the steps of a perturbation leaves its plateau: four ways to
 * name one step. All are pure functions of the curve.
 *
 * @source Giglemiani, Petrova et al. 2024, "Evaluating Synthetic Activations composed of SAE
 *     Latents in GPT-2" (arXiv 2409.15019), section 3 and appendix B; details from the published
 *     notebooks
 */
public final class StepStatistics {
  /** What {@link #maxSlope} returns where no slope is large enough. */
  public static final int NO_SLOPE = 99;

  /** What {@link #activationPlateau} returns where the threshold is not reached. */
  public static final int NO_END = 100;

  /** Points that define the line of {@link #nonLinearity}. */
  public static final int LINE_POINTS = 10;

  /** Relative deviation from its line that {@link #nonLinearity} allows. */
  public static final double LINE_TOLERANCE = 0.2;

  /** The tolerance of {@link #draftNonLinearity}. */
  public static final double DRAFT_LINE_TOLERANCE = 0.1;

  /** Shortest prefix that {@link #triangleArea} compares. */
  private static final int SHORTEST_PREFIX = 6;

  private StepStatistics() {}

  /**
   * Returns the MS step: argmax over k of y_k − y_{k−1}, with the slope at 0 set to that at 1; the
   * first of equal ones. {@value #NO_SLOPE} if no slope exceeds {@code least}.
   *
   * @param y the curve
   * @param least slopes up to this one do not count; 0.02 in the publication
   */
  public static int maxSlope(double[] y, double least) {
    int best = NO_SLOPE;
    double most = least;
    for (int k = 0; k < y.length && y.length > 1; k++) {
      double slope = k == 0 ? y[1] - y[0] : y[k] - y[k - 1];
      if (slope > most) {
        most = slope;
        best = k;
      }
    }
    return best;
  }

  /**
   * Returns the max-slope step of an earlier script, argmax over k of y_{k+1} − y_k: one lower than
   * {@link #maxSlope}, and without a smallest slope. The first of equal ones; {@value #NO_SLOPE} of
   * a curve of fewer than two points.
   *
   * @param y the curve
   */
  public static int draftMaxSlope(double[] y) {
    int best = NO_SLOPE;
    double most = Double.NEGATIVE_INFINITY;
    for (int k = 0; k + 1 < y.length; k++) {
      if (y[k + 1] - y[k] > most) {
        most = y[k + 1] - y[k];
        best = k;
      }
    }
    return best;
  }

  /**
   * Returns the AP step: the smallest n with y_n ≥ threshold, {@value #NO_END} if there is none.
   *
   * @param y the curve
   * @param threshold where the plateau ends; 20 in the publication
   */
  public static int activationPlateau(double[] y, double threshold) {
    for (int n = 0; n < y.length; n++) {
      if (y[n] >= threshold) {
        return n;
      }
    }
    return NO_END;
  }

  /**
   * Returns the AUC step: the index of the last point of the prefix y_0 … y_{i−1}, 6 ≤ i &lt; m,
   * for which the triangle y_{i−1}·i/2 is largest against the trapezoid area below the prefix; the
   * first of equal ones. A curve that stays flat and then rises has little area below it just after
   * the rise. It is 5 for a straight line, and for curves of fewer than seven points.
   *
   * @param y the curve
   */
  public static int triangleArea(double[] y) {
    int best = SHORTEST_PREFIX - 1;
    double most = Double.NEGATIVE_INFINITY;
    double area = 0;
    for (int i = 1; i < y.length; i++) {
      area += i == 1 ? 0 : (y[i - 2] + y[i - 1]) / 2;
      double ratio = area == 0 ? 0 : y[i - 1] * i / 2 / area;
      if (i >= SHORTEST_PREFIX && ratio > most) {
        most = ratio;
        best = i - 1;
      }
    }
    return best;
  }

  /**
   * Returns the NL step: the index before the first point from {@value #LINE_POINTS} on that
   * deviates by more than 20 % from the line through points 0 and 9; m if none does. No deviation
   * from a line of 0 at 0 counts as none.
   *
   * @param y the curve
   */
  public static int nonLinearity(double[] y) {
    int off = firstOff(y, LINE_TOLERANCE);
    return off == y.length ? off : off - 1;
  }

  /**
   * Returns the NL step of an earlier script: the first point from {@value #LINE_POINTS} on that
   * deviates by more than 10 % from the line through points 0 and 9, not the one before it; m if
   * none does.
   *
   * @param y the curve
   */
  public static int draftNonLinearity(double[] y) {
    return firstOff(y, DRAFT_LINE_TOLERANCE);
  }

  /** Returns the first point that is off the line through the first ten by more than a part. */
  private static int firstOff(double[] y, double tolerance) {
    if (y.length <= LINE_POINTS) {
      return y.length;
    }
    int last = LINE_POINTS - 1;
    double slope = (y[last] - y[0]) / last;
    for (int i = LINE_POINTS; i < y.length; i++) {
      double line = y[0] + slope * i;
      if (Math.abs(y[i] - line) > tolerance * Math.abs(line)) {
        return i;
      }
    }
    return y.length;
  }
}
