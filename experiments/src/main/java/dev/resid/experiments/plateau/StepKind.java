package dev.resid.experiments.plateau;

import dev.resid.experiments.plateau.CurveColumns.Metric;
import java.util.Locale;

/** A step statistic of what is measured along a way. */
enum StepKind {
  /** Steepest step of L2. */
  MS_L2(Metric.L2, "MS of L2", "max-slope step of L2"),
  /** Steepest step of KL. */
  MS_KL(Metric.KL, "MS of KL", "max-slope step of KL"),
  /** Step at which the triangle is largest against the area below L2. */
  AUC_L2(Metric.L2, "AUC of L2", "area step of L2"),
  /** First step at which L2 leaves its first line. */
  NL_L2(Metric.L2, "NL of L2", "non-linearity step of L2"),
  /** First step at which L2 reaches the threshold. */
  AP_L2(Metric.L2, "AP of L2", "activation-plateau step of L2");

  /** Values of every statistic lie between 0 and this. */
  static final int MOST = 100;

  /** Slopes of KL up to this one do not count, in nats; published for L2 and KL alike. */
  private static final double LEAST_KL_SLOPE = 0.02;

  private final Metric metric;
  private final String label;
  private final String meaning;

  StepKind(Metric metric, String label, String meaning) {
    this.metric = metric;
    this.label = label;
    this.meaning = meaning;
  }

  /** Returns what it is a statistic of. */
  Metric metric() {
    return metric;
  }

  /** Returns its name in figures. */
  String label() {
    return label;
  }

  /** Returns its name in words. */
  String meaning() {
    return meaning;
  }

  /** Returns its name in tables. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns whether it can be told of a way. */
  boolean isOf(Curve curve) {
    return metric == Metric.L2 || curve.hasKl();
  }

  /** Returns the step of a curve, 0 to 100. */
  int step(double[] y, Scale.Values scale) {
    return switch (this) {
      case MS_L2 -> StepStatistics.maxSlope(y, scale.leastSlope());
      case MS_KL -> StepStatistics.maxSlope(y, LEAST_KL_SLOPE);
      case AUC_L2 -> StepStatistics.triangleArea(y);
      case NL_L2 -> StepStatistics.nonLinearity(y);
      case AP_L2 -> StepStatistics.activationPlateau(y, scale.threshold());
    };
  }
}
