package dev.resid.experiments.robustness;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.robustness.RobustnessLayout.Fact;
import dev.resid.experiments.robustness.RobustnessLayout.Positions;
import dev.resid.experiments.robustness.RobustnessLayout.Readout;
import dev.resid.experiments.robustness.RobustnessMeans.ComparedSae;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.sweep.Interval;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the source expects, set against a result. */
final class RobustnessClaims {
  private static final HookPoint FRAGILE = HookPoint.attnOut(0);

  private final RobustnessMeans means;
  private final RobustnessLayout sizes;

  RobustnessClaims(RobustnessMeans means) {
    this.means = means;
    this.sizes = means.sizes();
  }

  /** Returns a finding for every expectation. */
  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    Map<Site, List<Integer>> sites = new LinkedHashMap<>();
    for (int p = 0; p < sizes.points().size(); p++) {
      sites.computeIfAbsent(sizes.points().get(p).site(), s -> new ArrayList<>()).add(p);
    }
    sites.forEach((site, points) -> findings.add(monotone(site, points)));
    if (sizes.points().contains(FRAGILE)) {
      fragile().ifPresent(findings::add);
    }
    if (!means.saes().isEmpty()) {
      findings.add(half("low", "less", -1));
      findings.add(half("high", "more", 1));
      findings.add(interaction());
      between(findings);
    }
    findings.add(atFragile());
    return findings;
  }

  private Finding monotone(Site site, List<Integer> points) {
    List<String> rising = new ArrayList<>();
    int certain = 0;
    int steps = 0;
    for (int point : points) {
      for (int r = 0; r < sizes.ratios().size(); r++) {
        for (int c = 1; c < sizes.cosines().size(); c++) {
          var here = means.random(point, r, c, Readout.KL);
          var before = means.random(point, r, c - 1, Readout.KL);
          Interval step =
              means
                  .of(
                      sums ->
                          means.mean(sums, here, Positions.ALL)
                              - means.mean(sums, before, Positions.ALL))
                  .interval();
          steps++;
          certain += step.low() > 0 ? 1 : 0;
          if (step.high() < 0) {
            rising.add(
                "layer "
                    + sizes.points().get(point).layer()
                    + " from "
                    + Numbers.brief(sizes.cosines().get(c - 1))
                    + " to "
                    + Numbers.brief(sizes.cosines().get(c))
                    + " at norm "
                    + Numbers.brief(sizes.ratios().get(r)));
          }
        }
      }
    }
    Verdict verdict = Verdict.UNDECIDED;
    if (steps > 0 && rising.isEmpty() && certain == steps) {
      verdict = Verdict.HOLDS;
    } else if (!rising.isEmpty()) {
      verdict = certain > steps / 2 ? Verdict.PARTLY : Verdict.DOES_NOT_HOLD;
    }
    return new Finding(
        "The smaller the cosine, the larger KL, at " + RobustnessFigures.name(site),
        certain
            + " of "
            + steps
            + " steps from one cosine to the next lower one raise mean KL for certain.",
        verdict,
        rising.isEmpty() ? "" : "Lower for certain: " + String.join("; ", rising) + ".");
  }

  /** Is attn_out[0] more fragile than every other attn_out and mlp_out? */
  private Optional<Finding> fragile() {
    int ratio = Math.max(0, sizes.ratios().indexOf(0.9));
    int fragile = sizes.points().indexOf(FRAGILE);
    List<String> more = new ArrayList<>();
    List<String> unclear = new ArrayList<>();
    int others = 0;
    for (int p = 0; p < sizes.points().size(); p++) {
      int other = p;
      HookPoint point = sizes.points().get(p);
      if (p == fragile || !(point.site() == Site.ATTN_OUT || point.site() == Site.MLP_OUT)) {
        continue;
      }
      others++;
      Interval interval =
          means.of(sums -> height(sums, fragile, ratio) - height(sums, other, ratio)).interval();
      if (interval.high() < 0) {
        more.add(point.toString());
      } else if (interval.low() <= 0) {
        unclear.add(point.toString());
      }
    }
    if (others == 0 || sizes.cosines().getLast() == 1) {
      return Optional.empty();
    }
    Verdict verdict =
        !more.isEmpty()
            ? Verdict.DOES_NOT_HOLD
            : unclear.isEmpty() ? Verdict.HOLDS : Verdict.UNDECIDED;
    Estimate last =
        means.mean(
            means.random(fragile, ratio, sizes.cosines().size() - 1, Readout.KL), Positions.ALL);
    return Optional.of(
        new Finding(
            "attn_out of layer 0 is the most fragile of all attn_out and mlp_out",
            "Of " + others + " others " + more.size() + " are more fragile for certain.",
            verdict,
            "Compared by the geometric mean of KL over all cosines below 1, at norm "
                + Numbers.brief(sizes.ratios().get(ratio))
                + (more.isEmpty() ? "" : "; more fragile: " + String.join(", ", more))
                + (unclear.isEmpty() ? "" : "; not decidable: " + String.join(", ", unclear))
                + ". KL there at cosine "
                + Numbers.brief(sizes.cosines().getLast())
                + " is "
                + last.text(3)
                + " nats; one KL of about 2.6 was published, apparently at this site of GPT-2."));
  }

  private double height(double[] sums, int point, int ratio) {
    double sum = 0;
    int n = 0;
    for (int c = 0; c < sizes.cosines().size(); c++) {
      if (sizes.cosines().get(c) < 1) {
        sum +=
            RobustnessMeans.log(
                means.mean(sums, means.random(point, ratio, c, Readout.KL), Positions.ALL));
        n++;
      }
    }
    return sum / n;
  }

  /** SAE against random in one half of the positions, by cosine. */
  private Finding half(String which, String direction, int sign) {
    boolean low = sign < 0;
    List<Estimate> ratios = new ArrayList<>();
    List<String> each = new ArrayList<>();
    for (ComparedSae sae : means.saes()) {
      int middle = means.middleBin(sae.index());
      int from = low ? 0 : middle;
      int to = low ? middle : RobustnessLayout.BINS;
      Estimate found = means.of(sums -> means.logRatio(sums, sae.index(), from, to));
      if (Double.isFinite(found.value())) {
        ratios.add(found);
        each.add(sae.name() + " " + found.factor().text(3));
      }
    }
    return new Finding(
        "Where SAE(x) has a "
            + which
            + " cosine with x, it does "
            + direction
            + " than a random vector of the same cosine",
        "Mean KL of SAE(x) over that of random vectors, in the half of the positions with the "
            + which
            + "est cosines: "
            + (each.isEmpty() ? "none" : String.join("; ", each))
            + ".",
        verdict(ratios, sign),
        "The random vector at a position has the cosine and the norm of SAE(x) there. Halves are"
            + " cut at a border of the bins of the figure, for each SAE by itself.");
  }

  private Finding interaction() {
    List<Estimate> changes = new ArrayList<>();
    List<String> each = new ArrayList<>();
    for (ComparedSae sae : means.saes()) {
      int middle = means.middleBin(sae.index());
      Estimate found =
          means.of(
              sums ->
                  means.logRatio(sums, sae.index(), middle, RobustnessLayout.BINS)
                      - means.logRatio(sums, sae.index(), 0, middle));
      if (Double.isFinite(found.value())) {
        changes.add(found);
        each.add(sae.name() + " " + found.factor().text(3));
      }
    }
    return new Finding(
        "Compared with random vectors, an SAE does worse at high than at low cosine",
        "The ratio of the half with high cosines over that of the half with low ones: "
            + (each.isEmpty() ? "none" : String.join("; ", each))
            + ".",
        verdict(changes, 1),
        "Above 1: worse at high cosine.");
  }

  /** Between SAEs of one family at one point: does the ratio rise with the mean cosine? */
  private void between(List<Finding> findings) {
    Map<String, List<ComparedSae>> groups = new LinkedHashMap<>();
    means
        .saes()
        .forEach(
            s ->
                groups
                    .computeIfAbsent(
                        s.family() + " SAEs at " + s.point(), group -> new ArrayList<>())
                    .add(s));
    groups.forEach(
        (group, some) -> {
          if (some.size() < 3) {
            return;
          }
          Estimate slope = means.of(sums -> slope(sums, some));
          findings.add(
              new Finding(
                  "Of several "
                      + group
                      + ", those with higher cosine do worse compared with random vectors",
                  "Slope of ln(KL of SAE(x) over KL of random vectors) against the mean cosine of "
                      + some.size()
                      + " SAEs: "
                      + slope.text(3)
                      + ".",
                  verdict(List.of(slope), 1),
                  "Least squares; the interval is over rows, not over SAEs."));
        });
  }

  private double slope(double[] sums, List<ComparedSae> some) {
    double[] x = new double[some.size()];
    double[] y = new double[some.size()];
    double meanX = 0;
    double meanY = 0;
    for (int i = 0; i < x.length; i++) {
      int sae = some.get(i).index();
      x[i] = means.mean(sums, means.fact(sae, Fact.COSINE), Positions.ALL);
      y[i] = means.logRatio(sums, sae);
      meanX += x[i] / x.length;
      meanY += y[i] / x.length;
    }
    double covariance = 0;
    double variance = 0;
    for (int i = 0; i < x.length; i++) {
      covariance += (x[i] - meanX) * (y[i] - meanY);
      variance += (x[i] - meanX) * (x[i] - meanX);
    }
    return covariance / variance;
  }

  private Finding atFragile() {
    List<Estimate> ratios = new ArrayList<>();
    List<String> each = new ArrayList<>();
    for (ComparedSae sae : means.saes()) {
      if (sae.point().equals(FRAGILE)) {
        Estimate found = means.of(sums -> means.logRatio(sums, sae.index()));
        ratios.add(found);
        each.add(sae.name() + " " + found.factor().text(3));
      }
    }
    return new Finding(
        "At attn_out of layer 0 an SAE does far less than a random vector (0.46 against 2.6 nats)",
        each.isEmpty()
            ? "No SAE at " + FRAGILE + " was given."
            : "Mean KL of SAE(x) over that of random vectors: " + String.join("; ", each) + ".",
        verdict(ratios, -1),
        "");
  }

  /** Returns whether all, some or none of the numbers lie on a side of 0. */
  static Verdict verdict(List<Estimate> numbers, int sign) {
    int as = 0;
    int against = 0;
    for (Estimate number : numbers) {
      Interval interval = number.interval();
      boolean above = interval.low() > 0;
      boolean below = interval.high() < 0;
      as += (sign > 0 ? above : below) ? 1 : 0;
      against += (sign > 0 ? below : above) ? 1 : 0;
    }
    if (as > 0 && as == numbers.size()) {
      return Verdict.HOLDS;
    }
    if (as > 0) {
      return against > 0 ? Verdict.PARTLY : Verdict.UNDECIDED;
    }
    return against > 0 && against == numbers.size() ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
  }
}
