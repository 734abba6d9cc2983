package dev.resid.experiments.plateau;

import dev.resid.experiments.result.Worded;

/** How the 100 points between a start A and a target T are spaced. */
public enum Regime implements Worded {
  /** A + n·s·(T − A)/‖T − A‖: steps of one length s, whatever the distance. */
  ABSOLUTE,
  /** A + (n/99)·(T − A): the first point is A, the last is T. */
  RELATIVE;

  /** Points of a curve. */
  public static final int POINTS = 100;

  /** Returns the name in tables and on the command line. */
  @Override
  public String word() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }

  /**
   * Returns the regime of a name.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public static Regime of(String word) {
    return Worded.of(Regime.class, word, "regime");
  }

  /**
   * Returns how many points lie before the target and count for step statistics: ⌊distance/step⌋
   * and at most all of them with absolute steps, all of them with relative ones.
   *
   * @param distance ‖T − A‖
   * @param step length of an absolute step
   */
  int kept(double distance, double step) {
    return this == RELATIVE ? POINTS : (int) Math.min(POINTS, Math.floor(distance / step));
  }

  /**
   * Writes one point of the way into an array.
   *
   * @param start A
   * @param target T, another point than A, or the point stays A
   * @param n number of the point, from 0
   * @param step length of an absolute step
   * @param out where the point goes
   * @param offset index of its first value
   */
  void point(float[] start, float[] target, int n, double step, float[] out, int offset) {
    double factor =
        switch (this) {
          case RELATIVE -> n / (POINTS - 1.0);
          case ABSOLUTE -> {
            double distance = distance(start, target);
            yield distance == 0 ? 0 : n * step / distance;
          }
        };
    for (int c = 0; c < start.length; c++) {
      out[offset + c] = (float) (start[c] + factor * ((double) target[c] - start[c]));
    }
  }

  /** Returns ‖b − a‖₂ in float64. */
  static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int c = 0; c < a.length; c++) {
      double difference = (double) b[c] - a[c];
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }
}
