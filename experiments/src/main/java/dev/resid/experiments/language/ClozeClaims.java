package dev.resid.experiments.language;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.study.Estimates.Estimate;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/** What the source found, set against a result: one claim over all SAEs each. */
final class ClozeClaims {
  private final ClozeResult result;

  ClozeClaims(ClozeResult result) {
    this.result = result;
  }

  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    findings.add(baseline());
    if (result.saes().isEmpty()) {
      return findings;
    }
    findings.add(
        all(
            "With an SAE in place fewer answers are right",
            s -> {
              int with = result.column(ClozeLayout.SAE_CORRECT, s);
              int without = result.column(ClozeLayout.CORRECT);
              int n = result.prompts();
              return result.estimates().of(sums -> (sums[without] - sums[with]) / n);
            },
            "accuracy without minus with"));
    findings.add(
        all(
            "With an SAE in place the prompt's cross-entropy rises",
            result::deltaCrossEntropy,
            "nats"));
    findings.add(
        all(
            "The answer's log-probability falls on average",
            s -> {
              int column = result.column(ClozeLayout.DELTA_LN_P, s);
              int n = result.prompts();
              return result.estimates().of(sums -> -sums[column] / n);
            },
            "−Δ ln p, nats"));
    depth(findings);
    return findings;
  }

  /** Better than the one in d_vocab of guessing, or than nothing at all. */
  private Finding baseline() {
    Estimate accuracy = result.mean(ClozeLayout.CORRECT);
    return new Finding(
        "The model answers some prompts",
        "Accuracy "
            + accuracy.text(3)
            + ", mean ln p of the answer "
            + result.mean(ClozeLayout.LN_P).text(3)
            + " over "
            + result.prompts()
            + " prompts.",
        accuracy.interval().low() > 0
            ? Verdict.HOLDS
            : accuracy.value() == 0 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED,
        "Published for GPT-2 small: 26.6 % of 1,000 LAMBADA prompts, 41.9 % of 1,000 of the"
            + " Children's Book Test.");
  }

  /** A quantity is expected above 0 for every SAE. */
  private Finding all(String claim, IntFunction<Estimate> quantity, String unit) {
    int above = 0;
    int below = 0;
    List<String> texts = new ArrayList<>();
    for (int s = 0; s < result.saes().size(); s++) {
      Estimate estimate = quantity.apply(s);
      above += estimate.interval().low() > 0 ? 1 : 0;
      below += estimate.interval().high() < 0 ? 1 : 0;
      texts.add(result.saes().get(s).name() + " " + estimate.text(3));
    }
    int count = result.saes().size();
    return new Finding(
        claim,
        unit + ": " + String.join("; ", texts) + ".",
        verdict(above, below, count),
        "Above 0 for " + above + " of " + count + " SAEs, below for " + below + ".");
  }

  private static Verdict verdict(int above, int below, int count) {
    if (above == count) {
      return Verdict.HOLDS;
    }
    if (above == 0) {
      return below > 0 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
    }
    return below > 0 || above > count / 2 ? Verdict.PARTLY : Verdict.UNDECIDED;
  }

  /** Whether Δ ln p falls from the shallowest to the deepest layer that has an SAE. */
  private void depth(List<Finding> findings) {
    int shallow = 0;
    int deep = 0;
    for (int s = 0; s < result.saes().size(); s++) {
      shallow = layer(s) < layer(shallow) ? s : shallow;
      deep = layer(s) > layer(deep) ? s : deep;
    }
    if (layer(shallow) == layer(deep)) {
      return;
    }
    int first = result.column(ClozeLayout.DELTA_LN_P, shallow);
    int last = result.column(ClozeLayout.DELTA_LN_P, deep);
    int n = result.prompts();
    Estimate fall = result.estimates().of(sums -> (sums[first] - sums[last]) / n);
    findings.add(
        new Finding(
            "Deeper layers lose more of the answer's log-probability",
            "Δ ln p at "
                + result.saes().get(shallow).name()
                + " minus that at "
                + result.saes().get(deep).name()
                + ": "
                + fall.text(3)
                + " nats.",
            fall.interval().low() > 0
                ? Verdict.HOLDS
                : fall.interval().high() < 0 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED,
            "On LAMBADA Δ ln p of GPT-2 small falls from "
                + Numbers.significant(0.0074, 2)
                + " at layer 0 to "
                + Numbers.significant(-1.871, 4)
                + " at layer 11; on the Children's Book Test it is lowest at layers 2 and 3."));
  }

  private int layer(int sae) {
    return result.saes().get(sae).reads().layer();
  }
}
