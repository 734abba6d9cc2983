package dev.resid.experiments.sensitivity;

import static dev.resid.experiments.sensitivity.Baselines.COV_RANDOM_DIFFERENCE;
import static dev.resid.experiments.sensitivity.Baselines.COV_RANDOM_MIXTURE;
import static dev.resid.experiments.sensitivity.Baselines.REAL_DIFFERENCE;
import static dev.resid.experiments.sensitivity.Baselines.REAL_MIXTURE;

import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.sensitivity.RowColumns.Metric;
import dev.resid.experiments.sensitivity.RowColumns.Positions;
import dev.resid.experiments.sensitivity.SensitivityResult.Statistic;
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.List;

/**
 * What the publication says of an early layer, 2 of 12: difference directions are above mixtures
 * there too, but in L2 at the last resid_post the two are only a little apart.
 */
final class EarlyLayer {
  /** Part of the model's blocks before which a layer counts as early. */
  private static final double EARLY = 0.25;

  private final SensitivityResult result;
  private final double depth;

  /**
   * Prepares the findings.
   *
   * @param result what was measured
   * @param depth of the layer, from 0 to 1
   */
  EarlyLayer(SensitivityResult result, double depth) {
    this.result = result;
    this.depth = depth;
  }

  /** Returns a finding for each pair that was measured, at an early layer. */
  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    if (depth <= EARLY) {
      little(findings, COV_RANDOM_DIFFERENCE, COV_RANDOM_MIXTURE);
      little(findings, REAL_DIFFERENCE, REAL_MIXTURE);
    }
    return findings;
  }

  private void little(List<Finding> findings, SweptDirection difference, SweptDirection mixture) {
    if (!result.kinds().contains(difference) || !result.kinds().contains(mixture)) {
      return;
    }
    double margin = Math.log(Expectations.ABOUT_EQUAL);
    Interval interval = result.interval(ratio(difference, mixture, Metric.L2));
    Verdict verdict = Verdict.UNDECIDED;
    if (interval.low() > -margin && interval.high() < margin) {
      verdict = Verdict.HOLDS;
    } else if (interval.low() > margin || interval.high() < -margin) {
      verdict = Verdict.DOES_NOT_HOLD;
    }
    findings.add(
        new Finding(
            "At an early layer "
                + Expectations.words(difference)
                + " and "
                + Expectations.words(mixture)
                + " are only a little apart in L2",
            "Mean L2 is " + factor(difference, mixture, Metric.L2) + " times that of the mixture.",
            verdict,
            "A little means a factor below "
                + Expectations.ABOUT_EQUAL
                + ", geometric mean over "
                + result.lengths().length
                + " lengths; in KL the factor is "
                + factor(difference, mixture, Metric.KL)
                + ". Early are layers up to a quarter of the model's blocks."));
  }

  private Statistic ratio(SweptDirection above, SweptDirection below, Metric metric) {
    int n = result.lengths().length;
    return means -> {
      double sum = 0;
      for (int l = 0; l < n; l++) {
        sum += Math.log(means.get(above, l, metric, Positions.ALL));
        sum -= Math.log(means.get(below, l, metric, Positions.ALL));
      }
      return sum / n;
    };
  }

  private String factor(SweptDirection above, SweptDirection below, Metric metric) {
    return result.estimate(ratio(above, below, metric)).factor().text(3);
  }
}
