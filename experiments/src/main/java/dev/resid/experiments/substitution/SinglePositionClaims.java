package dev.resid.experiments.substitution;

import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.substitution.Cases.Case;
import dev.resid.experiments.substitution.SubstitutionResult.Statistic;
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What follows the replacement of one position: there, and at the positions after it. The sources
 * measure it and print no numbers; what is expected of it here is what they say of all positions.
 */
final class SinglePositionClaims {
  private final SubstitutionResult result;
  private final Map<String, List<SubstitutedSae>> families = new LinkedHashMap<>();

  SinglePositionClaims(SubstitutionResult result, List<SubstitutedSae> saes) {
    this.result = result;
    saes.forEach(s -> families.computeIfAbsent(s.family(), f -> new ArrayList<>()).add(s));
  }

  /** Returns a finding for everything that was measured, if a row reaches the position. */
  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    if (result.rowsAfter(0) == 0) {
      return findings;
    }
    families.forEach((family, saes) -> isotropic(findings, family, saes));
    List<String> points =
        result.cases().single().stream()
            .filter(one -> !one.substitute().needsSae())
            .map(Case::subject)
            .distinct()
            .toList();
    for (String point : points) {
      zeroAndMean(findings, point);
      fades(findings, point, Substitute.ZERO);
      fades(findings, point, Substitute.MEAN);
    }
    return findings;
  }

  private boolean has(String subject, Substitute substitute) {
    return result.cases().single().contains(new Case(subject, substitute));
  }

  private void isotropic(List<Finding> findings, String family, List<SubstitutedSae> saes) {
    List<SubstitutedSae> both =
        saes.stream()
            .filter(
                sae ->
                    has(sae.name(), Substitute.RECONSTRUCTION)
                        && has(sae.name(), Substitute.ISOTROPIC))
            .toList();
    if (both.isEmpty()) {
      return;
    }
    Statistic ratio =
        means -> {
          double sum = 0;
          for (SubstitutedSae sae : both) {
            sum += log(means.after(new Case(sae.name(), Substitute.RECONSTRUCTION), 0));
            sum -= log(means.after(new Case(sae.name(), Substitute.ISOTROPIC), 0));
          }
          return sum / both.size();
        };
    Interval interval = result.interval(ratio);
    findings.add(
        new Finding(
            "At a single position too, isotropic changes of the same length do less than SAE(x), "
                + family
                + " SAEs",
            "Mean KL at the replaced position is "
                + result.estimate(ratio).factor().text(3)
                + " times that of isotropic changes.",
            above(interval),
            "The sources print no number for it."));
  }

  private void zeroAndMean(List<Finding> findings, String point) {
    if (!has(point, Substitute.ZERO) || !has(point, Substitute.MEAN)) {
      return;
    }
    Statistic ratio =
        means ->
            log(means.after(new Case(point, Substitute.ZERO), 0))
                - log(means.after(new Case(point, Substitute.MEAN), 0));
    Interval interval = result.interval(ratio);
    findings.add(
        new Finding(
            "0 at a single position does more than the mean, " + point,
            "Mean KL at the position is "
                + result.estimate(ratio).factor().text(3)
                + " times that of the mean.",
            above(interval),
            "No claim of the sources: the mean is the usual choice since it stays among real"
                + " activations."));
  }

  private void fades(List<Finding> findings, String point, Substitute substitute) {
    if (!has(point, substitute) || result.rowsAfter(1) == 0) {
      return;
    }
    Case one = new Case(point, substitute);
    int farthest = 1;
    while (farthest + 1 < Cases.AFTER && result.rowsAfter(farthest + 1) > 0) {
      farthest++;
    }
    int last = farthest;
    Statistic ratio = means -> log(means.after(one, last)) - log(means.after(one, 1));
    Statistic there = means -> log(means.after(one, 1)) - log(means.after(one, 0));
    Interval interval = result.interval(ratio);
    Interval next = result.interval(there);
    Verdict verdict = Verdict.UNDECIDED;
    if (interval.high() < 0 && next.high() < 0) {
      verdict = Verdict.HOLDS;
    } else if (interval.low() > 0 || next.low() > 0) {
      verdict = Verdict.DOES_NOT_HOLD;
    }
    findings.add(
        new Finding(
            "The effect of " + substitute.words() + " at one position fades after it, " + point,
            "Mean KL at the next position is "
                + result.estimate(there).factor().text(3)
                + " times that at the position, and "
                + last
                + " positions after it "
                + result.estimate(ratio).factor().text(3)
                + " times that at the next.",
            verdict,
            "No claim of the sources, which read the effect at the position and the sixteen after"
                + " it."));
  }

  private static Verdict above(Interval interval) {
    return interval.low() > 0
        ? Verdict.HOLDS
        : interval.high() < 0 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
  }

  private static double log(double value) {
    return Math.log(Math.max(value, Double.MIN_NORMAL));
  }
}
