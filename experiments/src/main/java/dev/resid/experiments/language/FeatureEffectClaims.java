package dev.resid.experiments.language;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.study.Estimates.Estimate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoublePredicate;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** What the source found, set against a result. */
final class FeatureEffectClaims {
  /** What counts as almost all. */
  private static final double ALMOST_ALL = 0.95;

  private final FeatureEffectResult result;
  private final ClozeTask task;

  FeatureEffectClaims(FeatureEffectResult result, ClozeTask task) {
    this.result = result;
    this.task = task;
  }

  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    if (IntStream.of(result.withFeatures()).map(result::layer).distinct().count() > 1) {
      findings.add(depth());
    }
    findings.add(
        shares(
            "Some features have a mean effect above 0, fewer than half",
            result::effects,
            effect -> effect > 0,
            share -> share > 0 && share < 0.5));
    findings.add(
        shares(
            "Scores are almost all at most 0",
            result::scores,
            score -> score <= 0,
            share -> share >= ALMOST_ALL));
    if (task == ClozeTask.CBT) {
      findings.add(
          shares("No score is above 0", result::scores, score -> score <= 0, share -> share == 1));
    }
    return findings;
  }

  private Finding depth() {
    Estimate slope = result.slope();
    List<String> texts = new ArrayList<>();
    for (int s : result.withFeatures()) {
      texts.add(result.saes().get(s).name() + " " + result.meanEffect(s).text(3));
    }
    return new Finding(
        "The mean effect falls with the layer",
        "Slope over layers "
            + slope.text(3)
            + " nats a layer. Mean over features, nats: "
            + String.join("; ", texts)
            + ".",
        slope.interval().high() < 0
            ? Verdict.HOLDS
            : slope.interval().low() > 0 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED,
        "Least squares over all SAEs; resamples of prompts keep each prompt's weight in the mean"
            + " over features.");
  }

  /** A share of each SAE's features is expected in a range; SAEs without features do not count. */
  private Finding shares(
      String claim,
      IntFunction<double[]> numbers,
      DoublePredicate counted,
      DoublePredicate expected) {
    int as = 0;
    int with = 0;
    List<String> texts = new ArrayList<>();
    for (int s = 0; s < result.saes().size(); s++) {
      double[] all = numbers.apply(s);
      if (all.length > 0) {
        double share = share(all, counted);
        with++;
        as += expected.test(share) ? 1 : 0;
        texts.add(
            result.saes().get(s).name()
                + " "
                + Numbers.significant(share, 3)
                + " of "
                + Numbers.grouped(all.length));
      }
    }
    return new Finding(
        claim,
        "Share of features: " + String.join("; ", texts) + ".",
        with == 0
            ? Verdict.UNDECIDED
            : as == with ? Verdict.HOLDS : as > 0 ? Verdict.PARTLY : Verdict.DOES_NOT_HOLD,
        "So in " + as + " of " + with + " SAEs; counts of these prompts, without intervals.");
  }

  /** Returns which part of the numbers counts. */
  static double share(double[] all, DoublePredicate counted) {
    return (double) Arrays.stream(all).filter(counted).count() / all.length;
  }
}
