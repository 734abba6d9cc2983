package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.FeatureMeans.Group;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** What the tools for single features should show, set against a result. */
final class FeatureClaims {
  private static final RowLayout LAYOUT = FeatureLayout.VALUES;

  private final FeatureMeans means;

  FeatureClaims(FeatureMeans means) {
    this.means = means;
  }

  /** Returns a finding for every expectation. */
  List<Finding> findings() {
    return List.of(
        finding(
            "The most active examples alone mislead: they show the same token more often than"
                + " examples of every height do",
            "Share of pairs of examples with the same token, the most active less those of bins",
            group -> agreement(group),
            "The reason why the source draws examples evenly over bins of the activation."),
        finding(
            "The logit lens tells what a feature is for: it is higher for the tokens that follow"
                + " where the feature is active than for those that follow elsewhere",
            "Difference in standard deviations of the feature's logits over the vocabulary",
            group -> group.mean("lens"),
            "The source reads lists of tokens; this asks whether the text agrees with them."),
        finding(
            "Features help the prediction where they are active: without its direction the true"
                + " next token loses probability",
            "Mean ln p with the direction less ln p without it, in nats, where active",
            group -> negative(group.mean("effect")),
            "Mean over tokens of all features; what the SAE does not reconstruct stays in place."),
        finding(
            "Features whose lens agrees with the text more are worth more to the prediction",
            "Correlation over features between the lens and the probability that is lost",
            group -> negative(group.correlation()),
            "Of the two definitions of the source, both over the same features."),
        finding(
            "The word before matters more to a feature than other earlier tokens",
            "Share of the activation that its removal changes, less the mean of such shares of"
                + " tokens before that word",
            group -> group.mean("contrast"),
            "Absolute changes."),
        marked(
            "Some features are of the previous word: without it they lose at least half of their"
                + " activation",
            "previous_feature",
            group -> group.share("previous_feature"),
            "Means over two or three texts of each feature."),
        marked(
            "Removing single tokens cannot see that either of two is enough, removing pairs can",
            "either",
            group -> group.mean("either"),
            "A feature counts if neither of two tokens alone takes away 10 % of its activation and"
                + " both together take away more than half."));
  }

  private static Estimate agreement(Group group) {
    return group.of(
        sums ->
            (sums[LAYOUT.index("agreement_top")] - sums[LAYOUT.index("agreement_bins")])
                / sums[LAYOUT.index("agreement_n")]);
  }

  private static Estimate negative(Estimate estimate) {
    return new Estimate(
        -estimate.value(),
        new dev.resid.experiments.sweep.Interval(
            -estimate.interval().high(), -estimate.interval().low()));
  }

  private Finding finding(
      String expected, String measured, Function<Group, Estimate> number, String detail) {
    List<Estimate> numbers = new ArrayList<>();
    List<String> each = new ArrayList<>();
    means
        .groups()
        .forEach(
            (name, group) -> {
              Estimate estimate = number.apply(group);
              if (Double.isFinite(estimate.value())) {
                numbers.add(estimate);
                each.add(name + " " + estimate.text(3));
              }
            });
    return new Finding(
        expected,
        each.isEmpty() ? "No feature allows it." : measured + ": " + String.join("; ", each) + ".",
        DictionaryClaims.verdict(numbers),
        detail);
  }

  /** A claim that there are features with a mark: none among a few says nothing. */
  private Finding marked(
      String expected, String mark, Function<Group, Estimate> number, String detail) {
    Finding found = finding(expected, "Share of the features looked at", number, detail);
    boolean any = means.groups().values().stream().anyMatch(group -> exists(group, mark, number));
    return new Finding(expected, found.found(), any ? Verdict.HOLDS : Verdict.UNDECIDED, detail);
  }

  private static boolean exists(Group group, String mark, Function<Group, Estimate> number) {
    double marked = group.estimates().value(sums -> sums[LAYOUT.index(mark)]);
    return marked > 0 && number.apply(group).interval().low() > 0;
  }
}
