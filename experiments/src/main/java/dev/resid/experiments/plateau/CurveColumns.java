package dev.resid.experiments.plateau;

import java.util.List;

/**
 * The order of the numbers that come out of one prompt: for every way the distance of its two ends,
 * L2 at each of its points, and KL at each of its points where that is measured.
 */
final class CurveColumns {
  private final List<Curve> curves;
  private final int[] offsets;

  CurveColumns(List<Curve> curves) {
    this.curves = List.copyOf(curves);
    this.offsets = new int[curves.size() + 1];
    for (int i = 0; i < curves.size(); i++) {
      int metrics = curves.get(i).hasKl() ? 2 : 1;
      offsets[i + 1] = offsets[i] + 1 + metrics * Regime.POINTS;
    }
  }

  /** What is measured at a point. */
  enum Metric {
    /** Euclidean distance at the last resid_post from where it is at the first point. */
    L2,
    /** KL(original‖perturbed) of the next-token distribution, in nats. */
    KL
  }

  /** Returns the ways. */
  List<Curve> curves() {
    return curves;
  }

  /** Returns how many numbers a prompt has. */
  int count() {
    return offsets[curves.size()];
  }

  /** Returns the column of the distance of a way's ends. */
  int distance(Curve curve) {
    return offsets[index(curve)];
  }

  /** Returns the column of what is measured at a point of a way. */
  int point(Curve curve, Metric metric, int n) {
    return offsets[index(curve)] + 1 + metric.ordinal() * Regime.POINTS + n;
  }

  private int index(Curve curve) {
    int index = curves.indexOf(curve);
    if (index < 0) {
      throw new IllegalArgumentException(curve + " was not measured");
    }
    return index;
  }
}
