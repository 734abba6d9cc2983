package dev.resid.experiments.plateau;

import dev.resid.experiments.result.RunRecord;
import java.util.List;

/**
 * The order of the numbers that come out of one prompt: for every way the distance of its two ends,
 * L2 at each of its points, and where the prediction is read KL, then JS if that is measured.
 */
final class CurveColumns {
  private final List<Curve> curves;
  private final Metric last;
  private final int[] offsets;

  CurveColumns(List<Curve> curves, List<StepKind> statistics) {
    this.curves = List.copyOf(curves);
    this.last =
        statistics.stream().anyMatch(kind -> kind.metric() == Metric.JS) ? Metric.JS : Metric.KL;
    this.offsets = new int[curves.size() + 1];
    for (int i = 0; i < curves.size(); i++) {
      offsets[i + 1] = offsets[i] + 1 + metrics(curves.get(i)).size() * Regime.POINTS;
    }
  }

  /** Returns the columns of a run, from what its record says. */
  static CurveColumns of(RunRecord record) {
    return new CurveColumns(Curve.of(record), PlateauVariants.of(record.settings()).statistics());
  }

  /** Returns what is measured along a way. */
  List<Metric> metrics(Curve curve) {
    Metric end = curve.hasPrediction() ? last : Metric.L2;
    return List.of(Metric.values()).subList(0, end.ordinal() + 1);
  }

  /** What is measured at a point. */
  enum Metric {
    /** Euclidean distance at the last resid_post from where it is at the first point. */
    L2,
    /** KL(original‖perturbed) of the next-token distribution, in nats. */
    KL,
    /** Jensen-Shannon distance of the two next-token distributions, √(JS + 10⁻⁸), JS in bits. */
    JS
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
