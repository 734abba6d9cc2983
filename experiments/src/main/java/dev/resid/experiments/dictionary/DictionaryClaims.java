package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.DictionaryLayout.Error;
import dev.resid.experiments.dictionary.DictionaryMeans.Positions;
import dev.resid.experiments.dictionary.DictionaryPairs.Pair;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.hook.HookPoint;
import dev.resid.sae.metric.FeatureRemoval.Order;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the source asks or says, set against a result. */
final class DictionaryClaims {
  private final DictionaryMeans means;
  private final DictionaryPairs pairs;
  private final List<SaeFacts> saes;

  DictionaryClaims(DictionaryMeans means, DictionaryPairs pairs) {
    this.means = means;
    this.pairs = pairs;
    this.saes = means.sizes().saes();
  }

  /** Returns a finding for every expectation. */
  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    means.groups().forEach((group, some) -> equalL0(findings, group, some));
    findings.add(norms());
    findings.add(shared());
    return findings;
  }

  /** Is a sparser SAE better than a denser one without its most frequent features? */
  private void equalL0(List<Finding> findings, String group, List<Integer> some) {
    List<Estimate> gains = new ArrayList<>();
    List<String> each = new ArrayList<>();
    for (int i = 1; i < some.size(); i++) {
      int sparse = some.get(i - 1);
      int dense = some.get(i);
      Estimate gain =
          means.of(
              sums ->
                  means.recovered(sums, sparse, Order.FREQUENCY, 0)
                      - means.recoveredAt(
                          sums,
                          dense,
                          Order.FREQUENCY,
                          means.l0(sums, sparse, Order.FREQUENCY, 0)));
      gains.add(gain);
      each.add(saes.get(sparse).name() + " against " + saes.get(dense).name() + " " + gain.text(3));
    }
    if (!gains.isEmpty()) {
      findings.add(
          new Finding(
              "At equal L0 an SAE trained to be sparser recovers more loss than a denser one"
                  + " without its most frequent features, "
                  + group,
              "Loss recovered, difference: " + String.join("; ", each) + ".",
              verdict(gains),
              "The source poses the question only. The denser SAE's curve is read at the L0 of the"
                  + " sparser one, linearly between two steps."));
    }
  }

  /** Do raw errors differ between points by more than relative ones? */
  private Finding norms() {
    List<Estimate> gains = new ArrayList<>();
    List<String> each = new ArrayList<>();
    Map<String, Map<HookPoint, List<Integer>>> families = new LinkedHashMap<>();
    for (int s = 0; s < saes.size(); s++) {
      families
          .computeIfAbsent(saes.get(s).family(), f -> new LinkedHashMap<>())
          .computeIfAbsent(saes.get(s).writes(), p -> new ArrayList<>())
          .add(s);
    }
    families.forEach(
        (family, points) -> {
          List<HookPoint> at = new ArrayList<>(points.keySet());
          for (int i = 0; i < at.size(); i++) {
            for (int j = i + 1; j < at.size(); j++) {
              List<Integer> one = points.get(at.get(i));
              List<Integer> other = points.get(at.get(j));
              Estimate gain =
                  means.of(
                      sums ->
                          Math.abs(log(sums, one, Error.SQUARED) - log(sums, other, Error.SQUARED))
                              - Math.abs(
                                  log(sums, one, Error.RELATIVE)
                                      - log(sums, other, Error.RELATIVE)));
              gains.add(gain);
              each.add(family + ", " + at.get(i) + " and " + at.get(j) + " " + gain.text(3));
            }
          }
        });
    return new Finding(
        "Norms explain raw errors: squared errors differ between layers by more than their shares"
            + " of ‖x‖² do",
        each.isEmpty()
            ? "No family has SAEs at two points."
            : "|difference of ln ‖SAE(x) − x‖²| less |difference of ln of its share|: "
                + String.join("; ", each)
                + ".",
        verdict(gains),
        "Means of the logarithm over the SAEs of a family at a point, positions without the"
            + " first.");
  }

  private double log(double[] sums, List<Integer> some, Error error) {
    double sum = 0;
    for (int s : some) {
      sum += Math.log(means.error(sums, s, error, Positions.WITHOUT_FIRST));
    }
    return sum / some.size();
  }

  private Finding shared() {
    List<String> below = new ArrayList<>();
    int n = 0;
    double least = Double.POSITIVE_INFINITY;
    for (Pair pair : pairs.all()) {
      SaeFacts from = saes.get(pair.from());
      SaeFacts to = saes.get(pair.to());
      boolean samePoint = from.writes().equals(to.writes());
      if (pair.from() == pair.to() || !samePoint) {
        continue;
      }
      n++;
      least = Math.min(least, pair.plain().mean() - pair.random());
      if (pair.plain().mean() <= pair.random()) {
        below.add(from.name() + " in " + to.name());
      }
    }
    Verdict verdict = Verdict.UNDECIDED;
    if (n > 0) {
      verdict =
          below.isEmpty()
              ? Verdict.HOLDS
              : below.size() == n ? Verdict.DOES_NOT_HOLD : Verdict.PARTLY;
    }
    return new Finding(
        "SAEs of one point share directions: their largest cosines are above those of random"
            + " directions",
        n == 0
            ? "No two SAEs are at one point."
            : "In "
                + (n - below.size())
                + " of "
                + n
                + " ordered pairs the mean largest cosine is above that of as many random"
                + " directions; the smallest difference is "
                + Numbers.significant(least, 3)
                + ".",
        verdict,
        "Exact numbers of the dictionaries, which no resampling of text changes"
            + (below.isEmpty() ? "." : "; not above: " + String.join(", ", below) + "."));
  }

  /** Returns what intervals say about numbers that should be above 0. */
  static Verdict verdict(List<Estimate> numbers) {
    int above = 0;
    int below = 0;
    for (Estimate number : numbers) {
      above += number.interval().low() > 0 ? 1 : 0;
      below += number.interval().high() < 0 ? 1 : 0;
    }
    if (above > 0 && above == numbers.size()) {
      return Verdict.HOLDS;
    }
    if (above > 0 && below > 0) {
      return Verdict.PARTLY;
    }
    return below > 0 && below == numbers.size() ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
  }
}
