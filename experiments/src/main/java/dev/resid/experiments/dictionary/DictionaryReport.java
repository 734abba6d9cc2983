package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.DictionaryLayout.Error;
import dev.resid.experiments.dictionary.DictionaryMeans.Positions;
import dev.resid.experiments.dictionary.DictionaryPairs.Pair;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.sae.metric.FeatureRemoval.Order;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What removal, norms and cosines found: tables, figures and claims. */
final class DictionaryReport {
  private final DictionaryMeans means;
  private final DictionaryLayout sizes;
  private final FeatureCounts counts;
  private final DictionaryPairs pairs;
  private final long tokens;

  DictionaryReport(
      DictionaryMeans means, FeatureCounts counts, DictionaryPairs pairs, long tokens) {
    this.tokens = tokens;
    this.means = means;
    this.sizes = means.sizes();
    this.counts = counts;
    this.pairs = pairs;
  }

  /** Returns the part of the page. */
  PartReport part(String source) {
    DictionaryFigures figures = new DictionaryFigures(means, pairs, source);
    ResultTable saes = saes();
    ResultTable cosines = cosines();
    Map<String, ResultTable> tables = new LinkedHashMap<>();
    tables.put("saes", saes);
    tables.put("cosines", cosines);
    tables.put("one-to-one", assigned());
    tables.put("removal", removal());
    tables.put("norms", norms());
    tables.put("features", features());
    return new PartReport(
        List.of(
            figures.removal(),
            figures.norms(),
            figures.maps(),
            figures.curves(),
            new CosineHistograms(means, pairs, source).figures()),
        List.of(),
        new DictionaryClaims(means, pairs).findings(),
        definitions(),
        List.of(
            "The source does not say how features are removed; here they are set to 0, and not to"
                + " their mean.",
            "The source worked with Pythia-70M, where it calls an L0 above 100 too high; nothing"
                + " here depends on that number."),
        List.of(
            new Table("SAEs", "Click on a column's name to sort.", saes),
            new Table("Cosines between dictionaries", "", cosines)),
        tables);
  }

  private static List<Term> definitions() {
    return List.of(
        new Term("Frequency", "the share of tokens on which a feature is above 0."),
        new Term(
            "Removal",
            "features are sorted by frequency or by mean activation over all tokens; the first k"
                + " are set to 0 after encoding, at every position."),
        new Term(
            "Loss recovered",
            "(CE_zero − CE)/(CE_zero − CE_clean), CE_zero with 0 in place of the activation; means"
                + " over all positions."),
        new Term(
            "Largest cosine (MCS)",
            "for a direction of one SAE the largest cosine with any direction of another one;"
                + " decoder directions of length 1, signs kept. Their mean is MMCS."),
        new Term(
            "One-to-one",
            "each direction of the smaller dictionary gets a partner of its own in the larger one,"
                + " so that the sum of cosines is largest."),
        new Term(
            "Random directions",
            "isotropic, as many as the first dictionary has: what largest cosines chance gives."),
        new Term("Squared error", "‖SAE(x) − x‖², summed over d_model."));
  }

  private ResultTable saes() {
    List<Column> columns = new ArrayList<>();
    columns.add(new Column("sae", Type.TEXT, "Its name."));
    columns.add(new Column("family", Type.TEXT, "Its family."));
    columns.add(new Column("point", Type.TEXT, "What it reconstructs."));
    columns.add(new Column("d_sae", Type.WHOLE, "Features."));
    columns.add(new Column("alive", Type.WHOLE, "Features active somewhere in the text."));
    columns.add(new Column("l0", Type.NUMBER, "Mean number of active features."));
    columns.add(new Column("recovered", Type.NUMBER, "Loss recovered."));
    columns.add(new Column("recovered_low", Type.NUMBER, "Lower end of its 95 % interval."));
    columns.add(new Column("recovered_high", Type.NUMBER, "Upper end of its 95 % interval."));
    for (Positions positions : Positions.values()) {
      String suffix = positions == Positions.ALL ? "" : "_without_first";
      String where = positions == Positions.ALL ? "." : ", without position 0.";
      columns.add(new Column("squared_error" + suffix, Type.NUMBER, "Mean ‖SAE(x) − x‖²" + where));
      columns.add(new Column("relative" + suffix, Type.NUMBER, "Mean ‖SAE(x) − x‖²/‖x‖²" + where));
      columns.add(new Column("squared_norm" + suffix, Type.NUMBER, "Mean ‖x‖²" + where));
    }
    ResultTable table = new ResultTable(columns);
    for (int s = 0; s < sizes.saes().size(); s++) {
      int sae = s;
      SaeFacts named = sizes.saes().get(s);
      Estimate recovered = means.of(sums -> means.recovered(sums, sae, Order.FREQUENCY, 0));
      List<Object> cells = new ArrayList<>();
      cells.add(named.name());
      cells.add(named.family());
      cells.add(named.writes().name());
      cells.add((long) named.dSae());
      cells.add((long) counts.alive(s).length);
      cells.add(means.value(sums -> means.l0(sums, sae, Order.FREQUENCY, 0)));
      cells.add(recovered.value());
      cells.add(recovered.interval().low());
      cells.add(recovered.interval().high());
      for (Positions positions : Positions.values()) {
        for (Error error : Error.values()) {
          cells.add(means.value(sums -> means.error(sums, sae, error, positions)));
        }
      }
      table.add(cells.toArray());
    }
    return table;
  }

  private ResultTable removal() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "Its name."),
                new Column("order", Type.TEXT, "Which features go first."),
                new Column("removed", Type.WHOLE, "Features set to 0."),
                new Column("l0", Type.NUMBER, "Mean number of active features left."),
                new Column("ce_nats", Type.NUMBER, "Cross-entropy with what is left, in nats."),
                new Column("recovered", Type.NUMBER, "Loss recovered with what is left."),
                new Column("recovered_low", Type.NUMBER, "Lower end of its 95 % interval."),
                new Column("recovered_high", Type.NUMBER, "Upper end of its 95 % interval.")));
    for (int s = 0; s < sizes.saes().size(); s++) {
      int sae = s;
      for (Order order : Order.values()) {
        for (int k = 0; k < sizes.removed().length; k++) {
          int step = k;
          Estimate recovered = means.of(sums -> means.recovered(sums, sae, order, step));
          table.add(
              sizes.saes().get(s).name(),
              order.name().toLowerCase(Locale.ROOT),
              (long) sizes.removed(s, k),
              means.value(sums -> means.l0(sums, sae, order, step)),
              means.value(sums -> means.crossEntropy(sums, sae, order, step)),
              recovered.value(),
              recovered.interval().low(),
              recovered.interval().high());
        }
      }
    }
    return table;
  }

  private ResultTable norms() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("point", Type.TEXT, "Whose norm."),
                new Column("norm", Type.NUMBER, "Mean ‖x‖."),
                new Column("norm_without_first", Type.NUMBER, "The same without position 0."),
                new Column("low", Type.NUMBER, "Lower end of its 95 % interval."),
                new Column("high", Type.NUMBER, "Upper end of its 95 % interval.")));
    for (int p = 0; p < sizes.points().size(); p++) {
      int point = p;
      Estimate without = means.of(sums -> means.norm(sums, point, Positions.WITHOUT_FIRST));
      table.add(
          sizes.points().get(p).name(),
          means.value(sums -> means.norm(sums, point, Positions.ALL)),
          without.value(),
          without.interval().low(),
          without.interval().high());
    }
    return table;
  }

  private ResultTable cosines() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "Whose directions look for partners."),
                new Column("in", Type.TEXT, "Where."),
                new Column("atoms", Type.WHOLE, "Directions that look."),
                new Column("atoms_in", Type.WHOLE, "Directions looked at."),
                new Column("mmcs", Type.NUMBER, "Mean largest cosine; within one SAE, others."),
                new Column("above_0.9", Type.WHOLE, "Largest cosines above 0.9."),
                new Column("random", Type.NUMBER, "MMCS of as many random directions.")));
    for (Pair pair : pairs.all()) {
      table.add(
          sizes.saes().get(pair.from()).name(),
          sizes.saes().get(pair.to()).name(),
          (long) pair.atomsFrom(),
          (long) pair.atomsTo(),
          pair.plain().mean(),
          (long) pair.plain().countAbove(DictionaryPairs.SAME),
          pair.random());
    }
    return table;
  }

  private ResultTable assigned() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "One SAE."),
                new Column("other", Type.TEXT, "The other one."),
                new Column("partners", Type.WHOLE, "Directions of the smaller one, all assigned."),
                new Column("mean", Type.NUMBER, "Mean cosine of the partners."),
                new Column("above_0.9", Type.WHOLE, "Partners with a cosine above 0.9.")));
    for (Pair pair : pairs.all()) {
      if (pair.from() < pair.to() && pair.assigned().isPresent()) {
        table.add(
            sizes.saes().get(pair.from()).name(),
            sizes.saes().get(pair.to()).name(),
            (long) pair.assigned().get().cosines().length,
            pair.assigned().get().mean(),
            (long) pair.assigned().get().countAbove(DictionaryPairs.SAME));
      }
    }
    return table;
  }

  /** Returns the frequencies of alive features. */
  private ResultTable features() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "Its name."),
                new Column("feature", Type.WHOLE, "Its number."),
                new Column("frequency", Type.NUMBER, "Share of tokens on which it is active.")));
    for (int s = 0; s < sizes.saes().size(); s++) {
      long[] active = counts.active(s);
      for (int f = 0; f < active.length; f++) {
        if (active[f] > 0) {
          table.add(sizes.saes().get(s).name(), (long) f, (double) active[f] / tokens);
        }
      }
    }
    return table;
  }
}
