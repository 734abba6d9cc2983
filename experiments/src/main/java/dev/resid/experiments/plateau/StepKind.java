package dev.resid.experiments.plateau;

import dev.resid.experiments.plateau.CurveColumns.Metric;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A step statistic of what is measured along a way. */
public enum StepKind {
  /** Steepest step of L2. */
  MS_L2(Metric.L2, "MS of L2", "max-slope step of L2"),
  /** Steepest step of KL. */
  MS_KL(Metric.KL, "MS of KL", "max-slope step of KL"),
  /** Step at which the triangle is largest against the area below L2. */
  AUC_L2(Metric.L2, "AUC of L2", "area step of L2"),
  /** First step at which L2 leaves its first line. */
  NL_L2(Metric.L2, "NL of L2", "non-linearity step of L2"),
  /** First step at which L2 reaches the threshold. */
  AP_L2(Metric.L2, "AP of L2", "activation-plateau step of L2"),
  /** {@link #MS_L2} without padding: the index is one lower, and every slope counts. */
  MS_L2_DRAFT(Metric.L2, "MS of L2, draft", "draft max-slope step of L2"),
  /** {@link #NL_L2} with a tolerance of 10 %: the first point that is off, not the one before. */
  NL_L2_DRAFT(Metric.L2, "NL of L2, draft", "draft non-linearity step of L2"),
  /** As {@link #MS_L2_DRAFT}, of the Jensen-Shannon distance. */
  MS_JS(Metric.JS, "MS of JS", "draft max-slope step of JS"),
  /** As {@link #NL_L2_DRAFT}, of the Jensen-Shannon distance. */
  NL_JS(Metric.JS, "NL of JS", "draft non-linearity step of JS"),
  /** As {@link #AUC_L2}, of the Jensen-Shannon distance. */
  AUC_JS(Metric.JS, "AUC of JS", "area step of JS");

  /** Those of the paper and its notebooks, which every run has. */
  public static final List<StepKind> USUAL = List.of(MS_L2, MS_KL, AUC_L2, NL_L2, AP_L2);

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

  /** Returns its name in tables and on the command line. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns whether it can be told of a way. */
  boolean isOf(Curve curve) {
    return metric == Metric.L2 || curve.hasPrediction();
  }

  /** Returns the step of a curve, 0 to 100. */
  int step(double[] y, Scale.Values scale) {
    return switch (this) {
      case MS_L2 -> StepStatistics.maxSlope(y, scale.leastSlope());
      case MS_KL -> StepStatistics.maxSlope(y, LEAST_KL_SLOPE);
      case AUC_L2, AUC_JS -> StepStatistics.triangleArea(y);
      case NL_L2 -> StepStatistics.nonLinearity(y);
      case AP_L2 -> StepStatistics.activationPlateau(y, scale.threshold());
      case MS_L2_DRAFT, MS_JS -> StepStatistics.draftMaxSlope(y);
      case NL_L2_DRAFT, NL_JS -> StepStatistics.draftNonLinearity(y);
    };
  }

  /**
   * Returns the statistic of a name.
   *
   * @throws IllegalArgumentException if there is none; the message lists the earlier ones
   */
  public static StepKind of(String word) {
    for (StepKind kind : values()) {
      if (kind.word().equals(word)) {
        return kind;
      }
    }
    throw new IllegalArgumentException(
        "no step statistic is called \""
            + word
            + "\"; earlier ones are "
            + Arrays.stream(values())
                .filter(kind -> !USUAL.contains(kind))
                .map(StepKind::word)
                .collect(Collectors.joining(", ")));
  }
}
