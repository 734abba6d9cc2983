package dev.resid.experiments.patch;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Basis;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.hook.Site;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What the literature expects of patching, set against a result. */
final class PatchClaims {
  /** A correlation above this counts as a good approximation. */
  static final double GOOD = 0.9;

  /** Part of all heads up to which some heads count as few. */
  static final double FEW = 0.25;

  /** Rounding of float32 passes, as a part of a readout; a wrong term is off by far more. */
  private static final double ROUNDING = 1e-3;

  private final PatchMeans means;
  private final PatchLabels labels;

  PatchClaims(PatchMeans means, PatchLabels labels) {
    this.means = means;
    this.labels = labels;
  }

  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    promptsMatter(findings);
    atTheDifference(findings);
    if (!labels.common().isEmpty()) {
      moves(findings);
    }
    for (Site site : List.of(Site.ATTN_OUT, Site.MLP_OUT, Site.Z)) {
      approximation(findings, site);
    }
    streamIsWorst(findings);
    fewHeads(findings);
    directAddsUp(findings);
    lensConverges(findings);
    return findings;
  }

  private void promptsMatter(List<Finding> findings) {
    int clean = means.column(PatchLayout.CLEAN);
    int corrupted = means.column(PatchLayout.CORRUPTED);
    int n = means.pairs();
    Estimate gap = means.estimates().of(sums -> (sums[clean] - sums[corrupted]) / n);
    findings.add(
        new Finding(
            "The model tells the prompts apart: the logit difference of the answers is larger in"
                + " the clean prompt",
            "Clean "
                + means.estimates().mean(clean).text(3)
                + ", corrupted "
                + means.estimates().mean(corrupted).text(3)
                + ", difference "
                + gap.text(3)
                + ", means over "
                + n
                + " pairs.",
            verdict(gap.interval().low() > 0, gap.interval().high() < 0),
            "Without a difference there is nothing to explain; shares of it mean nothing then."));
  }

  private void atTheDifference(List<Finding> findings) {
    int one = means.column(PatchLayout.ONE_DIFFERENCE);
    double pairs = means.estimates().value(sums -> sums[one]);
    if (pairs < means.pairs()) {
      return;
    }
    Estimate share = means.shareOfAll(PatchLayout.AT_DIFFERENCE);
    boolean exact = Math.abs(share.value() - 1) < ROUNDING;
    findings.add(
        new Finding(
            "Patching resid_pre of block 0 at the one token that differs makes the run the clean"
                + " one",
            "It brings back " + Numbers.significant(share.value(), 6) + " of the difference.",
            verdict(exact, !exact),
            "A check of the machinery: it holds for every model.",
            Basis.EVERY_ROW));
  }

  private void moves(List<Finding> findings) {
    int last = means.sizes().positions() - 1;
    int top = means.sizes().layers() - 1;
    String name = PatchLayout.exact(Site.RESID_PRE);
    Estimate early = means.shareOfAll(name, 0, last);
    Estimate late = means.shareOfAll(name, top, last);
    Estimate rest =
        means
            .estimates()
            .of(
                sums -> {
                  double largest = Double.NEGATIVE_INFINITY;
                  for (int pos = 0; pos < last; pos++) {
                    largest = Math.max(largest, means.share(name, top, pos).applyAsDouble(sums));
                  }
                  return means.share(name, top, last).applyAsDouble(sums) - largest;
                });
    findings.add(
        new Finding(
            "What decides is moved to the last position: there a late residual stream brings back"
                + " more than at any other position",
            "Patching resid_pre at the last position brings back "
                + early.text(3)
                + " of the difference in block 0 and "
                + late.text(3)
                + " in block "
                + top
                + "; the lead over the best other position there is "
                + rest.text(3)
                + ".",
            verdict(rest.interval().low() > 0, rest.interval().high() < 0),
            "Meng et al. 2022 find an early site at the subject and a late one at the last"
                + " token."));
  }

  private void approximation(List<Finding> findings, Site site) {
    Estimate r = means.estimates().of(means.correlation(site));
    findings.add(
        new Finding(
            "Attribution patching agrees with patching at " + site.suffix(),
            "Correlation over layers and positions "
                + (site == Site.Z ? "and heads " : "")
                + r.text(3)
                + ".",
            verdict(r.interval().low() > GOOD, r.interval().high() < GOOD),
            "Agreement means a correlation above "
                + GOOD
                + " of the means over pairs. Nanda 2023 reports that the estimate is good for"
                + " outputs of heads and layers."));
  }

  private void streamIsWorst(List<Finding> findings) {
    List<Site> others = List.of(Site.ATTN_OUT, Site.MLP_OUT, Site.Z);
    Estimate gap =
        means
            .estimates()
            .of(
                sums -> {
                  double stream = means.correlation(Site.RESID_PRE).applyAsDouble(sums);
                  return others.stream()
                      .mapToDouble(site -> means.correlation(site).applyAsDouble(sums) - stream)
                      .min()
                      .orElseThrow();
                });
    findings.add(
        new Finding(
            "It agrees least at the residual stream, whose patches are large",
            "Correlation at resid_pre "
                + means.estimates().of(means.correlation(Site.RESID_PRE)).text(3)
                + "; the lowest of the other sites' lies "
                + gap.text(3)
                + " above it.",
            verdict(gap.interval().low() > 0, gap.interval().high() < 0),
            "Nanda 2023: the linear estimate is poor for the residual stream, because a layer norm"
                + " after a large change is far from linear."));
  }

  private void fewHeads(List<Finding> findings) {
    int total = means.sizes().layers() * means.sizes().heads();
    int most = (int) Math.floor(FEW * total);
    Estimate part =
        means
            .estimates()
            .of(
                sums -> {
                  double[] effects = new double[total];
                  for (int i = 0; i < total; i++) {
                    int[] at = {i / means.sizes().heads(), i % means.sizes().heads()};
                    effects[i] = Math.abs(sums[means.column(PatchLayout.WHOLE_HEAD, at)]);
                  }
                  java.util.Arrays.sort(effects);
                  double top = 0;
                  double all = 0;
                  for (int i = 0; i < total; i++) {
                    all += effects[i];
                    top += i >= total - most ? effects[i] : 0;
                  }
                  return top / all;
                });
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < total; i++) {
      order.add(i);
    }
    int heads = means.sizes().heads();
    order.sort(
        Comparator.comparingDouble(
            i -> -Math.abs(means.share(-1, PatchLayout.WHOLE_HEAD, i / heads, i % heads))));
    StringBuilder best = new StringBuilder();
    for (int i : order.subList(0, Math.min(4, total))) {
      best.append(best.isEmpty() ? "" : ", ").append("L").append(i / heads).append("H");
      best.append(i % heads).append(' ');
      best.append(
          Numbers.significant(means.share(-1, PatchLayout.WHOLE_HEAD, i / heads, i % heads), 2));
    }
    findings.add(
        new Finding(
            "Few heads carry the effect",
            "The "
                + most
                + " largest of "
                + total
                + " heads have "
                + part.text(3)
                + " of the sum of all heads' magnitudes. Largest shares brought back: "
                + best
                + ".",
            verdict(part.interval().low() > 0.5, part.interval().high() < 0.5),
            "Few means that a quarter of the heads have more than half of the sum. Wang et al. 2022"
                + " name 26 of GPT-2 small's 144 heads for one task."));
  }

  private void directAddsUp(List<Finding> findings) {
    double error = 0;
    double size = 1;
    for (int pair = 0; pair < means.pairs(); pair++) {
      error = Math.max(error, means.raw(pair, PatchLayout.DIRECT_ERROR));
      for (int term = 0; term < means.sizes().terms(); term++) {
        size = Math.max(size, Math.abs(means.raw(pair, PatchLayout.DIRECT_CLEAN, term)));
      }
    }
    boolean exact = error < ROUNDING * size;
    findings.add(
        new Finding(
            "Direct contributions of all terms add up to the logit difference",
            "Largest difference of sum and readout "
                + Numbers.significant(error, 2)
                + ", largest contribution "
                + Numbers.significant(size, 3)
                + ".",
            verdict(exact, !exact),
            "A check of the machinery: with the final layer norm's scale held it holds for every"
                + " model.",
            Basis.EVERY_ROW));
  }

  private void lensConverges(List<Finding> findings) {
    List<String> steps = new ArrayList<>();
    int down = 0;
    int up = 0;
    int tokens = means.column(PatchLayout.TOKENS);
    for (int layer = 0; layer < means.sizes().layers(); layer++) {
      int here = means.column(PatchLayout.LENS_KL_SUM, 2 * layer);
      int next = means.column(PatchLayout.LENS_KL_SUM, 2 * layer + 2);
      Estimate fall = means.estimates().of(sums -> (sums[here] - sums[next]) / sums[tokens]);
      down += fall.interval().low() > 0 ? 1 : 0;
      up += fall.interval().high() < 0 ? 1 : 0;
      steps.add(Numbers.significant(means.estimates().ratio(here, tokens).value(), 3));
    }
    int all = means.sizes().layers();
    Verdict verdict =
        down == all
            ? Verdict.HOLDS
            : up > 0 ? (down > 0 ? Verdict.PARTLY : Verdict.DOES_NOT_HOLD) : Verdict.UNDECIDED;
    findings.add(
        new Finding(
            "Through the logit lens, predictions approach the final one from layer to layer",
            "Mean KL from the final prediction at resid_pre of blocks 0 to "
                + (all - 1)
                + ": "
                + String.join(", ", steps)
                + " nats, then 0.",
            verdict,
            "It falls in "
                + down
                + " of "
                + all
                + " steps and rises in "
                + up
                + ", by 95 % intervals over pairs. nostalgebraist 2020 shows it for GPT-2."));
  }

  private static Verdict verdict(boolean holds, boolean fails) {
    return holds ? Verdict.HOLDS : fails ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
  }
}
