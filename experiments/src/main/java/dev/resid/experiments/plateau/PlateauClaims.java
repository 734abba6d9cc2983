package dev.resid.experiments.plateau;

import static dev.resid.experiments.plateau.TargetKind.BAG_OF_FEATURES;
import static dev.resid.experiments.plateau.TargetKind.MODEL_GENERATED;
import static dev.resid.experiments.plateau.TargetKind.RANDOM;
import static dev.resid.experiments.plateau.TargetKind.SAE_RECONSTRUCTION;
import static dev.resid.experiments.plateau.TargetKind.SINGLE_FEATURE;
import static dev.resid.experiments.plateau.TargetKind.SYNTHETIC_BASELINE;
import static dev.resid.experiments.plateau.TargetKind.SYNTHETIC_STRUCTURED;

import dev.resid.experiments.plateau.Curve.Role;
import dev.resid.experiments.plateau.CurveColumns.Metric;
import dev.resid.experiments.plateau.PlateauResult.Statistic;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.List;

/**
 * What the publication claims, set against a result. Each claim is that a number is positive: a
 * difference of mean steps, or of KS distances to the model-generated ones. It holds if the 95 %
 * bootstrap interval of the number lies above 0, does not hold if it lies below, and is left open
 * if it contains 0.
 */
final class PlateauClaims {
  /** Where a curve of plateau and blow-up must still be below its straight line. */
  private static final int QUARTER = 25;

  private static final int LAST = Regime.POINTS - 1;

  private final PlateauResult result;
  private final List<Finding> findings = new ArrayList<>();

  PlateauClaims(PlateauResult result) {
    this.result = result;
  }

  /** Returns a finding for every claim about ways that were measured. */
  List<Finding> findings() {
    plateau();
    for (StepKind kind : List.of(StepKind.MS_L2, StepKind.MS_KL, StepKind.AUC_L2, StepKind.NL_L2)) {
      for (Regime regime : Regime.values()) {
        later(kind, regime);
      }
    }
    for (Regime regime : Regime.values()) {
      closer(SYNTHETIC_STRUCTURED, SYNTHETIC_BASELINE, regime, ".214 against .26 (relative)");
      closer(SYNTHETIC_STRUCTURED, RANDOM, regime, ".214 against .612 (relative)");
      closer(SYNTHETIC_BASELINE, RANDOM, regime, ".26 against .612 (relative)");
      closer(SAE_RECONSTRUCTION, SYNTHETIC_STRUCTURED, regime, ".11 against .214 (relative)");
      closer(SINGLE_FEATURE, RANDOM, regime, ".208 against .612 (relative)");
      closer(BAG_OF_FEATURES, RANDOM, regime, ".19 against .62 (relative)");
    }
    longer(RANDOM, "15.1 against 8.3 steps");
    longer(SYNTHETIC_STRUCTURED, "15.1 against 7.8 steps");
    longer(SYNTHETIC_BASELINE, "15.1 against 6.2 steps");
    return findings;
  }

  private void plateau() {
    for (TargetKind kind : List.of(MODEL_GENERATED, RANDOM)) {
      Curve way = new Curve(Role.TARGET, kind, Regime.RELATIVE);
      if (!result.has(way)) {
        continue;
      }
      Statistic part =
          sample ->
              sample.mean(way, Metric.L2, QUARTER)
                  / (sample.mean(way, Metric.L2, LAST) * QUARTER / LAST);
      Interval interval = result.interval(part);
      Verdict verdict =
          interval.high() < 1
              ? Verdict.HOLDS
              : interval.low() > 1 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
      findings.add(
          new Finding(
              "Towards a "
                  + kind.label()
                  + " activation the final activation first changes little (plateau), then fast"
                  + " (blow-up)",
              "A quarter of the way, mean L2 is "
                  + new Estimate(result.value(part), interval).text(3)
                  + " times what a straight line to its last value would be.",
              verdict,
              "Holds if L2 is below the straight line there; relative steps."));
    }
  }

  private void later(StepKind kind, Regime regime) {
    Curve real = new Curve(Role.TARGET, MODEL_GENERATED, regime);
    Curve random = new Curve(Role.TARGET, RANDOM, regime);
    if (!result.has(real) || !result.has(random)) {
      return;
    }
    difference(
        "The "
            + kind.meaning()
            + " comes earlier towards model-generated than towards random targets, "
            + regime.word()
            + " steps",
        random,
        real,
        kind,
        published(kind, regime));
  }

  private static String published(StepKind kind, Regime regime) {
    String real = Published.of(new Curve(Role.TARGET, MODEL_GENERATED, regime), kind);
    String random = Published.of(new Curve(Role.TARGET, RANDOM, regime), kind);
    return real.isEmpty()
        ? "no numbers are published for this statistic with these steps"
        : real + " against " + random;
  }

  private void longer(TargetKind kind, String published) {
    Curve real = new Curve(Role.BASE, MODEL_GENERATED, Regime.ABSOLUTE);
    Curve other = new Curve(Role.BASE, kind, Regime.ABSOLUTE);
    if (result.has(real) && result.has(other)) {
      difference(
          "The plateau around model-generated activations is longer than around "
              + kind.label()
              + " ones (activation-plateau step)",
          real,
          other,
          StepKind.AP_L2,
          published);
    }
  }

  /** The mean step of one way is larger than that of another. */
  private void difference(String claim, Curve more, Curve less, StepKind kind, String published) {
    Statistic difference = sample -> sample.mean(more, kind) - sample.mean(less, kind);
    double value = result.value(difference);
    Interval interval = result.interval(difference);
    if (!Double.isFinite(value)) {
      return; // all ways of one of them are too short for a step
    }
    findings.add(
        new Finding(
            claim,
            "Mean steps "
                + Numbers.significant(result.value(s -> s.mean(more, kind)), 3)
                + " ("
                + more.kind().label()
                + ") and "
                + Numbers.significant(result.value(s -> s.mean(less, kind)), 3)
                + " ("
                + less.kind().label()
                + "): the first is later by "
                + new Estimate(value, interval).text(3)
                + ". KS distance "
                + Numbers.significant(result.value(s -> s.ks(more, less, kind)), 3)
                + ".",
            verdict(interval),
            "GPT-2 small: " + published + "."));
  }

  private void closer(TargetKind near, TargetKind far, Regime regime, String published) {
    Curve real = new Curve(Role.TARGET, MODEL_GENERATED, regime);
    Curve one = new Curve(Role.TARGET, near, regime);
    Curve other = new Curve(Role.TARGET, far, regime);
    if (!result.has(real) || !result.has(one) || !result.has(other)) {
      return;
    }
    StepKind kind = StepKind.MS_L2;
    Statistic difference = sample -> sample.ks(other, real, kind) - sample.ks(one, real, kind);
    double value = result.value(difference);
    if (!Double.isFinite(value)) {
      return;
    }
    Interval interval = result.interval(difference);
    findings.add(
        new Finding(
            "The "
                + kind.meaning()
                + " is distributed more like the model-generated one for "
                + near.label()
                + " than for "
                + far.label()
                + " targets, "
                + regime.word()
                + " steps",
            "KS distance to model-generated "
                + Numbers.significant(result.value(s -> s.ks(one, real, kind)), 3)
                + " ("
                + near.label()
                + ") and "
                + Numbers.significant(result.value(s -> s.ks(other, real, kind)), 3)
                + " ("
                + far.label()
                + "): the second is larger by "
                + new Estimate(value, interval).text(2)
                + ".",
            verdict(interval),
            "GPT-2 small: KS " + published + "."));
  }

  private static Verdict verdict(Interval interval) {
    if (interval.low() > 0) {
      return Verdict.HOLDS;
    }
    return interval.high() < 0 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
  }
}
