package dev.resid.experiments.sensitivity;

import static dev.resid.experiments.sensitivity.Baselines.COV_RANDOM_DIFFERENCE;
import static dev.resid.experiments.sensitivity.Baselines.COV_RANDOM_MIXTURE;
import static dev.resid.experiments.sensitivity.Baselines.ISOTROPIC;
import static dev.resid.experiments.sensitivity.Baselines.REAL_DIFFERENCE;
import static dev.resid.experiments.sensitivity.Baselines.REAL_MIXTURE;

import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.sensitivity.RowColumns.Metric;
import dev.resid.experiments.sensitivity.RowColumns.Positions;
import dev.resid.experiments.sensitivity.SensitivityResult.Means;
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.List;

/**
 * What the publication expects, set against a result. Two directions are compared by the ratio of
 * their mean KL at each length; over all lengths by the geometric mean of these ratios, so that
 * every length counts alike. Verdicts come from bootstrap intervals in which both directions share
 * the resampled rows.
 */
final class Expectations {
  /** Ratios within this factor of 1 count as about equal. */
  static final double ABOUT_EQUAL = 1.2;

  /** Part of the mean distance of real activations up to which a length counts as small. */
  static final double SMALL = 0.05;

  /** How far an exponent may be from its limit for small lengths. */
  private static final double EXPONENT_MARGIN = 0.1;

  private final SensitivityResult result;
  private final double meanDistance;

  Expectations(SensitivityResult result, double meanDistance) {
    this.result = result;
    this.meanDistance = meanDistance;
  }

  /** Returns a finding for every expectation about directions that were measured. */
  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    greater(findings, COV_RANDOM_DIFFERENCE, COV_RANDOM_MIXTURE);
    greater(findings, REAL_DIFFERENCE, REAL_MIXTURE);
    greater(findings, REAL_DIFFERENCE, COV_RANDOM_DIFFERENCE);
    aboutEqual(findings, REAL_MIXTURE, COV_RANDOM_MIXTURE);
    greater(findings, COV_RANDOM_MIXTURE, ISOTROPIC);
    exponent(findings, Metric.L2, 1, "L2 at the last resid_post is linear in α for small α");
    exponent(findings, Metric.KL, 2, "KL is quadratic in α for small α, as for any smooth model");
    return findings;
  }

  private void greater(List<Finding> findings, SweptDirection more, SweptDirection less) {
    if (!measured(more, less)) {
      return;
    }
    Interval interval = result.interval(m -> meanLogRatio(m, more, less, Positions.ALL));
    List<Integer> above = new ArrayList<>();
    List<Integer> below = new ArrayList<>();
    for (int l = 0; l < result.lengths().length; l++) {
      int length = l;
      Interval at = result.interval(m -> logRatio(m, more, less, length, Positions.ALL));
      if (at.low() > 0) {
        above.add(l);
      } else if (at.high() < 0) {
        below.add(l);
      }
    }
    Verdict verdict;
    if (interval.low() > 0) {
      verdict = below.isEmpty() ? Verdict.HOLDS : Verdict.PARTLY;
    } else if (interval.high() < 0) {
      verdict = above.isEmpty() ? Verdict.DOES_NOT_HOLD : Verdict.PARTLY;
    } else {
      verdict = above.isEmpty() || below.isEmpty() ? Verdict.UNDECIDED : Verdict.PARTLY;
    }
    String detail =
        "At single lengths: above at "
            + above.size()
            + " of "
            + result.lengths().length
            + (below.isEmpty() ? "" : ", below at α = " + list(below))
            + ". Without position 0 the factor is "
            + factor(more, less, Positions.WITHOUT_FIRST)
            + ".";
    findings.add(
        new Finding(
            "KL: " + words(more) + " above " + words(less), found(more, less), verdict, detail));
  }

  private void aboutEqual(List<Finding> findings, SweptDirection one, SweptDirection other) {
    if (!measured(one, other)) {
      return;
    }
    double margin = Math.log(ABOUT_EQUAL);
    Interval interval = result.interval(m -> meanLogRatio(m, one, other, Positions.ALL));
    List<Integer> apart = new ArrayList<>();
    for (int l = 0; l < result.lengths().length; l++) {
      int length = l;
      Interval at = result.interval(m -> logRatio(m, one, other, length, Positions.ALL));
      if (at.low() > margin || at.high() < -margin) {
        apart.add(l);
      }
    }
    Verdict verdict;
    if (interval.low() > -margin && interval.high() < margin) {
      verdict = apart.isEmpty() ? Verdict.HOLDS : Verdict.PARTLY;
    } else if (interval.low() > margin || interval.high() < -margin) {
      verdict = Verdict.DOES_NOT_HOLD;
    } else {
      verdict = Verdict.UNDECIDED;
    }
    String detail =
        "About equal means within a factor of "
            + ABOUT_EQUAL
            + (apart.isEmpty() ? "" : "; it is not at α = " + list(apart))
            + ". Without position 0 the factor is "
            + factor(one, other, Positions.WITHOUT_FIRST)
            + ".";
    findings.add(
        new Finding(
            "KL: " + words(one) + " about equal to " + words(other),
            found(one, other),
            verdict,
            detail));
  }

  private void exponent(List<Finding> findings, Metric metric, double limit, String claim) {
    List<Integer> small = small();
    if (small.size() < 2) {
      return;
    }
    Verdict verdict = Verdict.HOLDS;
    StringBuilder found = new StringBuilder("Exponent of the power of α: ");
    List<SweptDirection> kinds = baselinesOrAll();
    for (SweptDirection kind : kinds) {
      Interval interval = result.interval(m -> exponent(m, kind, metric, small));
      double value = result.value(m -> exponent(m, kind, metric, small));
      found.append(kind.equals(kinds.getFirst()) ? "" : "; ");
      found.append(words(kind)).append(' ').append(Numbers.significant(value, 4));
      found.append(" (").append(Numbers.significant(interval.low(), 4)).append(" to ");
      found.append(Numbers.significant(interval.high(), 4)).append(')');
      boolean inside =
          interval.low() > limit - EXPONENT_MARGIN && interval.high() < limit + EXPONENT_MARGIN;
      boolean outside =
          interval.low() > limit + EXPONENT_MARGIN || interval.high() < limit - EXPONENT_MARGIN;
      if (outside) {
        verdict = Verdict.DOES_NOT_HOLD;
      } else if (!inside && verdict == Verdict.HOLDS) {
        verdict = Verdict.UNDECIDED;
      }
    }
    findings.add(
        new Finding(
            claim,
            found.append('.').toString(),
            verdict,
            "Least squares on logarithms over α = "
                + list(small)
                + "; expected "
                + Numbers.brief(limit)
                + " ± "
                + EXPONENT_MARGIN
                + "."));
  }

  /** Returns the directions that need no SAE; if there are none, all. */
  private List<SweptDirection> baselinesOrAll() {
    List<SweptDirection> baselines =
        result.kinds().stream().filter(SweptDirection.Baseline.class::isInstance).toList();
    return baselines.isEmpty() ? result.kinds() : baselines;
  }

  /** Returns the lengths that count as small; at least the two smallest, if they are not large. */
  private List<Integer> small() {
    List<Integer> small = new ArrayList<>();
    double[] lengths = result.lengths();
    for (int l = 0; l < lengths.length; l++) {
      if (lengths[l] <= SMALL * meanDistance) {
        small.add(l);
      }
    }
    return small;
  }

  /** Returns the least-squares slope of y against x. */
  static double slope(double[] x, double[] y) {
    double meanX = 0;
    double meanY = 0;
    for (int i = 0; i < x.length; i++) {
      meanX += x[i] / x.length;
      meanY += y[i] / x.length;
    }
    double xy = 0;
    double xx = 0;
    for (int i = 0; i < x.length; i++) {
      xy += (x[i] - meanX) * (y[i] - meanY);
      xx += (x[i] - meanX) * (x[i] - meanX);
    }
    return xy / xx;
  }

  private double exponent(Means means, SweptDirection kind, Metric metric, List<Integer> some) {
    double[] lengths = result.lengths();
    double[] x = some.stream().mapToDouble(l -> Math.log(lengths[l])).toArray();
    double[] y =
        some.stream().mapToDouble(l -> logOf(means.get(kind, l, metric, Positions.ALL))).toArray();
    return slope(x, y);
  }

  private double meanLogRatio(
      Means means, SweptDirection above, SweptDirection below, Positions positions) {
    int n = result.lengths().length;
    double sum = 0;
    for (int l = 0; l < n; l++) {
      sum += logRatio(means, above, below, l, positions);
    }
    return sum / n;
  }

  private static double logRatio(
      Means means, SweptDirection above, SweptDirection below, int length, Positions positions) {
    return logOf(means.get(above, length, Metric.KL, positions))
        - logOf(means.get(below, length, Metric.KL, positions));
  }

  /** ln x, for x that rounding made 0 or negative the logarithm of the smallest KL that counts. */
  private static double logOf(double x) {
    return Math.log(Math.max(x, 1e-12));
  }

  private boolean measured(SweptDirection one, SweptDirection other) {
    return result.kinds().contains(one) && result.kinds().contains(other);
  }

  private String found(SweptDirection one, SweptDirection other) {
    return "Mean KL of "
        + words(one)
        + " is "
        + factor(one, other, Positions.ALL)
        + " times that of "
        + words(other)
        + ", geometric mean over "
        + result.lengths().length
        + " lengths.";
  }

  private String factor(SweptDirection one, SweptDirection other, Positions positions) {
    return result.estimate(m -> meanLogRatio(m, one, other, positions)).factor().text(3);
  }

  private String list(List<Integer> some) {
    List<String> texts = some.stream().map(l -> Numbers.brief(result.lengths()[l])).toList();
    return texts.size() <= 6
        ? String.join(", ", texts)
        : String.join(", ", texts.subList(0, 3)) + " … " + texts.getLast();
  }

  /** Returns a direction's name in running text. */
  static String words(SweptDirection direction) {
    return switch (direction) {
      case SweptDirection.Baseline baseline ->
          switch (baseline.kind()) {
            case ISOTROPIC -> "isotropic";
            case COV_RANDOM_DIFFERENCE -> "cov-random difference";
            case COV_RANDOM_MIXTURE -> "cov-random mixture";
            case REAL_DIFFERENCE -> "real difference";
            case REAL_MIXTURE -> "real mixture";
          };
      case SweptDirection.Own own -> own.direction().word();
      case SweptDirection.OfSae of ->
          switch (of.kind()) {
            case ERROR -> "error of " + of.sae();
            case FEATURE -> "inactive feature of " + of.sae();
            case ACTIVE_FEATURE -> "active feature of " + of.sae();
            case DEAD_FEATURE -> "dead feature of " + of.sae();
          };
    };
  }
}
