package dev.resid.experiments.sensitivity;

import static dev.resid.experiments.sensitivity.Baselines.ISOTROPIC;

import dev.resid.experiments.direction.SaeDirectionKind;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.sensitivity.RowColumns.Metric;
import dev.resid.experiments.sensitivity.RowColumns.Positions;
import dev.resid.experiments.sensitivity.SaeGroup.Member;
import dev.resid.experiments.sensitivity.SensitivityResult.Means;
import dev.resid.experiments.sensitivity.SensitivityResult.Statistic;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.stream.IntStream;

/**
 * What the publication expects of directions that SAEs give. How an effect depends on L0 is the
 * slope of the logarithm of the mean KL against the logarithm of L0 over the SAEs of a family;
 * lengths count alike.
 */
final class SaeExpectations {
  /** The publication's "below about 50", as a part of its mean distance 81.59. */
  static final double SHORT = 50 / Lengths.PUBLISHED_DISTANCE;

  /** The publication's "above about 70", as a part of its mean distance 81.59. */
  static final double LONG = 70 / Lengths.PUBLISHED_DISTANCE;

  /** A KL below this part of that at the longest length counts as near 0. */
  static final double NEAR_ZERO = 0.1;

  private static final int ENOUGH_FOR_A_SLOPE = 3;

  private final SensitivityResult result;
  private final double meanDistance;
  private final List<SaeGroup> groups;

  SaeExpectations(SensitivityResult result, double meanDistance, List<SaeGroup> groups) {
    this.result = result;
    this.meanDistance = meanDistance;
    this.groups = groups;
  }

  /** Returns a finding for every expectation about directions that were measured. */
  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    List<Integer> all = lengths(part -> true);
    List<Integer> small = lengths(part -> part < SHORT);
    List<Integer> large = lengths(part -> part > LONG);
    for (SaeGroup group : groups) {
      aboveIsotropic(findings, group, SaeDirectionKind.ERROR, "SAE-error directions");
      if (group.family().equals(SaeGroup.LOCAL)) {
        falling(findings, group, SaeDirectionKind.ERROR, Metric.KL, all, "at every length");
      } else {
        rising(findings, group, small);
        shootingUp(findings, group, small);
        falling(
            findings,
            group,
            SaeDirectionKind.ERROR,
            Metric.KL,
            large,
            "at long lengths (α > 0.86" + " of the mean distance)");
      }
      if (group.family().equals(SaeGroup.E2E)) {
        falling(
            findings,
            group,
            SaeDirectionKind.ERROR,
            Metric.L2,
            small,
            "at short lengths too," + " read at the last resid_post");
      }
    }
    for (SaeGroup group : groups) {
      aboveIsotropic(findings, group, SaeDirectionKind.FEATURE, "directions of inactive features");
      falling(findings, group, SaeDirectionKind.FEATURE, Metric.KL, all, "at every length");
    }
    matched(findings, small, large);
    return findings;
  }

  private List<Integer> lengths(DoublePredicate partOfDistance) {
    double[] lengths = result.lengths();
    return IntStream.range(0, lengths.length)
        .filter(l -> partOfDistance.test(lengths[l] / meanDistance))
        .boxed()
        .toList();
  }

  private boolean measured(SaeGroup group, SaeDirectionKind kind) {
    return group.members().stream().allMatch(m -> result.kinds().contains(m.direction(kind)));
  }

  private void aboveIsotropic(
      List<Finding> findings, SaeGroup group, SaeDirectionKind kind, String what) {
    if (!measured(group, kind) || !result.kinds().contains(ISOTROPIC)) {
      return;
    }
    List<Integer> all = lengths(part -> true);
    Statistic mean =
        m ->
            group.members().stream()
                .mapToDouble(one -> ratio(m, one.direction(kind), ISOTROPIC, all))
                .average()
                .orElseThrow();
    Interval interval = result.interval(mean);
    List<String> below = new ArrayList<>();
    List<String> above = new ArrayList<>();
    for (Member one : group.members()) {
      Interval at = result.interval(m -> ratio(m, one.direction(kind), ISOTROPIC, all));
      if (at.high() < 0) {
        below.add(one.name());
      } else if (at.low() > 0) {
        above.add(one.name());
      }
    }
    findings.add(
        new Finding(
            "KL: " + what + " of " + group.family() + " SAEs above isotropic",
            "Mean KL is "
                + result.estimate(mean).factor().text(3)
                + " times that of isotropic directions, geometric mean over "
                + group.members().size()
                + " SAEs and all lengths.",
            verdict(interval, above.isEmpty(), below.isEmpty()),
            below.isEmpty() ? "" : "It is below for " + String.join(", ", below) + "."));
  }

  /** An expectation that the effect falls as L0 rises. */
  private void falling(
      List<Finding> findings,
      SaeGroup group,
      SaeDirectionKind kind,
      Metric metric,
      List<Integer> some,
      String where) {
    slope(findings, group, kind, metric, some, -1, where);
  }

  /** The inversion: at short lengths the effect of error directions rises with L0. */
  private void rising(List<Finding> findings, SaeGroup group, List<Integer> some) {
    slope(
        findings,
        group,
        SaeDirectionKind.ERROR,
        Metric.KL,
        some,
        1,
        "at short lengths (α < 0.61 of the mean distance)");
  }

  private void slope(
      List<Finding> findings,
      SaeGroup group,
      SaeDirectionKind kind,
      Metric metric,
      List<Integer> some,
      int sign,
      String where) {
    if (!measured(group, kind)
        || group.members().size() < ENOUGH_FOR_A_SLOPE
        || some.isEmpty()
        || group.members().getFirst().l0() <= 0) {
      return;
    }
    Estimate found = result.estimate(m -> slope(m, group, kind, metric, some));
    Interval signed = found.interval();
    if (sign < 0) {
      signed = new Interval(-signed.high(), -signed.low());
    }
    List<Integer> with = new ArrayList<>();
    List<Integer> against = new ArrayList<>();
    for (int l : some) {
      Interval at = result.interval(m -> slope(m, group, kind, metric, List.of(l)));
      if (sign * at.low() > 0 && sign * at.high() > 0) {
        with.add(l);
      } else if (sign * at.low() < 0 && sign * at.high() < 0) {
        against.add(l);
      }
    }
    String what = kind == SaeDirectionKind.ERROR ? "error directions" : "inactive features";
    findings.add(
        new Finding(
            metric
                + ": "
                + what
                + " of "
                + group.family()
                + " SAEs: lower L0, "
                + (sign < 0 ? "larger" : "smaller")
                + " effect "
                + where,
            metric + " goes as L0 to the power " + found.text(2) + " over " + range(group),
            verdict(signed, with.isEmpty(), against.isEmpty()),
            "At single lengths: as expected at "
                + with.size()
                + " of "
                + some.size()
                + (against.isEmpty() ? "" : ", the other way at " + against.size())
                + ". Intervals are over rows of text; there are no more than these SAEs."));
  }

  private static String range(SaeGroup group) {
    return group.members().size()
        + " SAEs of L0 "
        + Numbers.significant(group.members().getFirst().l0(), 3)
        + " to "
        + Numbers.significant(group.members().getLast().l0(), 3)
        + ".";
  }

  /** Curves stay near 0 up to a length of about 50: against what they are at the longest one. */
  private void shootingUp(List<Finding> findings, SaeGroup group, List<Integer> small) {
    int longest = result.lengths().length - 1;
    if (!measured(group, SaeDirectionKind.ERROR) || small.isEmpty() || small.contains(longest)) {
      return;
    }
    int end = small.getLast();
    Statistic part =
        means ->
            sum(means, group, SaeDirectionKind.ERROR, end)
                / sum(means, group, SaeDirectionKind.ERROR, longest);
    Interval interval = result.interval(part);
    findings.add(
        new Finding(
            "KL: SAE-error directions of "
                + group.family()
                + " SAEs stay near 0 up to a length of about 50 and then shoot up",
            "At α = "
                + Numbers.significant(result.lengths()[end], 3)
                + " the mean KL is "
                + result.estimate(part).text(3)
                + " of that at "
                + Numbers.significant(result.lengths()[longest], 3)
                + ".",
            interval.high() < NEAR_ZERO
                ? Verdict.HOLDS
                : interval.low() > NEAR_ZERO ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED,
            "Near 0 means less than " + NEAR_ZERO + " of the KL at the longest length."));
  }

  private static double sum(Means means, SaeGroup group, SaeDirectionKind kind, int length) {
    return group.members().stream()
        .mapToDouble(m -> means.get(m.direction(kind), length, Metric.KL, Positions.ALL))
        .sum();
  }

  private void matched(List<Finding> findings, List<Integer> small, List<Integer> large) {
    Map<String, Member> one = SaeGroup.matched(groups);
    Member local = one.get(SaeGroup.LOCAL);
    Member e2e = one.get(SaeGroup.E2E);
    Member downstream = one.get(SaeGroup.DOWNSTREAM);
    if (local == null || e2e == null || downstream == null || !featuresMeasured(one)) {
      return;
    }
    List<Integer> all = lengths(part -> true);
    String compared =
        "Compared at L0 "
            + Numbers.significant(local.l0(), 3)
            + " (local), "
            + Numbers.significant(e2e.l0(), 3)
            + " (e2e), "
            + Numbers.significant(downstream.l0(), 3)
            + " (downstream).";
    pair(findings, "below local", e2e, local, all, -1, compared);
    pair(findings, "below downstream", e2e, downstream, all, -1, compared);
    if (!small.isEmpty()) {
      pair(findings, "above downstream at short lengths", local, downstream, small, 1, compared);
    }
    if (!small.isEmpty() && !large.isEmpty()) {
      closingGap(findings, local, downstream, small, large, compared);
    }
  }

  private boolean featuresMeasured(Map<String, Member> some) {
    return some.values().stream()
        .allMatch(m -> result.kinds().contains(m.direction(SaeDirectionKind.FEATURE)));
  }

  private void pair(
      List<Finding> findings,
      String claim,
      Member one,
      Member other,
      List<Integer> some,
      int sign,
      String compared) {
    SweptDirection mine = one.direction(SaeDirectionKind.FEATURE);
    SweptDirection theirs = other.direction(SaeDirectionKind.FEATURE);
    Estimate found = result.estimate(m -> ratio(m, mine, theirs, some));
    Interval signed = found.interval();
    if (sign < 0) {
      signed = new Interval(-signed.high(), -signed.low());
    }
    findings.add(
        new Finding(
            "KL: inactive features at matched L0: " + familyOf(one) + " " + claim,
            "Mean KL of "
                + one.name()
                + " is "
                + found.factor().text(3)
                + " times that of "
                + other.name()
                + ", geometric mean over "
                + some.size()
                + " lengths.",
            verdict(signed, true, true),
            compared));
  }

  private void closingGap(
      List<Finding> findings,
      Member local,
      Member downstream,
      List<Integer> small,
      List<Integer> large,
      String compared) {
    SweptDirection mine = local.direction(SaeDirectionKind.FEATURE);
    SweptDirection theirs = downstream.direction(SaeDirectionKind.FEATURE);
    Statistic atShort = m -> ratio(m, mine, theirs, small);
    Statistic atLong = m -> ratio(m, mine, theirs, large);
    Interval closing = result.interval(m -> atShort.of(m) - atLong.of(m));
    findings.add(
        new Finding(
            "KL: inactive features at matched L0: the gap of local above downstream closes at long"
                + " lengths",
            "Mean KL of "
                + local.name()
                + " is "
                + result.estimate(atShort).factor().text(3)
                + " times that of "
                + downstream.name()
                + " at short lengths and "
                + result.estimate(atLong).factor().text(3)
                + " times at long ones.",
            verdict(closing, true, true),
            compared));
  }

  private String familyOf(Member member) {
    return groups.stream()
        .filter(group -> group.members().contains(member))
        .map(SaeGroup::family)
        .findFirst()
        .orElseThrow();
  }

  private static Verdict verdict(Interval signed, boolean noneWith, boolean noneAgainst) {
    if (signed.low() > 0) {
      return noneAgainst ? Verdict.HOLDS : Verdict.PARTLY;
    }
    if (signed.high() < 0) {
      return noneWith ? Verdict.DOES_NOT_HOLD : Verdict.PARTLY;
    }
    return noneWith || noneAgainst ? Verdict.UNDECIDED : Verdict.PARTLY;
  }

  private static double ratio(
      Means means, SweptDirection one, SweptDirection other, List<Integer> some) {
    return logMean(means, one, Metric.KL, some) - logMean(means, other, Metric.KL, some);
  }

  private static double logMean(
      Means means, SweptDirection direction, Metric metric, List<Integer> some) {
    double sum = 0;
    for (int l : some) {
      sum += Math.log(Math.max(means.get(direction, l, metric, Positions.ALL), Double.MIN_NORMAL));
    }
    return sum / some.size();
  }

  private static double slope(
      Means means, SaeGroup group, SaeDirectionKind kind, Metric metric, List<Integer> some) {
    double[] x = group.members().stream().mapToDouble(m -> Math.log(m.l0())).toArray();
    double[] y =
        group.members().stream()
            .mapToDouble(m -> logMean(means, m.direction(kind), metric, some))
            .toArray();
    return Expectations.slope(x, y);
  }
}
