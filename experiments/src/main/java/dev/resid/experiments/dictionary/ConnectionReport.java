package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.ConnectionFits.Fitted;
import dev.resid.experiments.dictionary.ConnectionPairs.Pair;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.sweep.RowValues;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What connections between SAEs came to: tables, figures and claims.
 *
 * @param saes all SAEs
 * @param pairs which are connected
 * @param units the earlier features
 * @param values what was measured, a row for every feature of every pair
 * @param fits of every pair; none if there are too few tokens
 * @param seed of resamples
 */
record ConnectionReport(
    List<SaeFacts> saes,
    List<Pair> pairs,
    FeatureUnits units,
    RowValues values,
    List<ConnectionFits> fits,
    long seed) {
  private static final RowLayout LAYOUT = ConnectionPairs.VALUES;

  /** Returns the report of a run, from its notes. */
  static ConnectionReport of(Settings notes, RowValues values, long seed) {
    List<Pair> pairs = ConnectionPairs.of(notes);
    List<ConnectionFits> fits = new ArrayList<>();
    for (int p = 0; p < pairs.size(); p++) {
      ConnectionFits.of(notes, p, pairs.get(p).targets().length).ifPresent(fits::add);
    }
    return new ConnectionReport(
        SaeFacts.of(notes), pairs, FeatureUnits.of(notes), values, fits, seed);
  }

  /** Takes a feature of a pair. */
  @FunctionalInterface
  interface EachFeature {
    /**
     * Does something.
     *
     * @param pair number of the pair
     * @param slot number of the feature among those looked at
     * @param row of the values
     */
    void take(int pair, int slot, int row);
  }

  /** Goes through the features that were active where they were changed. */
  void forEach(EachFeature what) {
    for (int row = 0; row < values.rows(); row++) {
      if (values.get(row, LAYOUT.index("present")) > 0) {
        what.take(row / units.slots(), row % units.slots(), row);
      }
    }
  }

  double get(int row, String name) {
    return values.get(row, LAYOUT.index(name));
  }

  double get(int row, String name, int target) {
    return values.get(row, LAYOUT.index(name, target));
  }

  int feature(int pair, int slot) {
    return units.feature(pairs.get(pair).from() * units.slots() + slot);
  }

  /** Returns the part of the page. */
  PartReport part(String source) {
    ResultTable fitted = fitted();
    Map<String, ResultTable> tables = new LinkedHashMap<>();
    tables.put("connections", connections());
    tables.put("fits", fitted);
    return new PartReport(
        new ConnectionFigures(this, source).all(),
        List.of(),
        new ConnectionClaims(this).findings(),
        List.of(
            new Term(
                "Causal connection",
                "a feature of one SAE is set to 0, what that SAE does not reconstruct is left in"
                    + " place, and the features of a later SAE are encoded again; measured is the"
                    + " mean change of each, over all tokens and over those on which the feature"
                    + " was active."),
            new Term(
                "Sufficiency",
                "the feature is set to its largest value in the text at every position instead."),
            new Term(
                "Fitted connection",
                "the later features are predicted from the earlier ones of the same token by F1·W,"
                    + " relu(F1·W + b) and relu(F1·W + b)·W' + b', fitted by Adam to the mean"
                    + " squared error plus λ·mean |W|; every tenth token is held out and position 0"
                    + " left out."),
            new Term(
                "Connection of weights alone",
                "d_i·e_j, the earlier feature's decoder direction times the later feature's encoder"
                    + " direction: what goes straight along the residual stream."),
            new Term(
                "Later features",
                "the " + ConnectionPairs.TARGETS + " most frequent ones of the later SAE.")),
        List.of(
            "Connections: of each family at each two neighbouring points the SAE in the middle by"
                + " L0 is taken. The source worked with dictionaries before and after one MLP; SAEs"
                + " at resid_mid or mlp_out and resid_post make that pair here."),
        fits.isEmpty() ? List.of() : List.of(new Table("Fitted connections", "", fitted)),
        tables);
  }

  private ResultTable connections() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("from", Type.TEXT, "The earlier SAE."),
                new Column("feature", Type.WHOLE, "Its feature."),
                new Column("active_tokens", Type.WHOLE, "Tokens on which that is active."),
                new Column("to", Type.TEXT, "The later SAE."),
                new Column("later_feature", Type.WHOLE, "Its feature."),
                new Column("zeroed", Type.NUMBER, "Mean change without the feature."),
                new Column("zeroed_where_active", Type.NUMBER, "The same where it was active."),
                new Column("raised", Type.NUMBER, "Mean change with it at its largest."),
                new Column("weights", Type.TEXT, "d_i·e_j."),
                new Column("fitted", Type.TEXT, "Weight of the linear fit.")));
    forEach(
        (p, slot, row) -> {
          Pair pair = pairs.get(p);
          for (int t = 0; t < pair.targets().length; t++) {
            table.add(
                name(pair.from()),
                (long) feature(p, slot),
                (long) get(row, "active_tokens"),
                name(pair.to()),
                (long) pair.targets()[t],
                get(row, "zeroed", t),
                get(row, "where_active", t),
                get(row, "raised", t),
                fits.isEmpty() ? "" : cell(fits.get(p).weights(), slot, t),
                fits.isEmpty() ? "" : cell(fits.get(p).linear(), slot, t));
          }
        });
    return table;
  }

  private static String cell(double[][] numbers, int slot, int target) {
    return numbers.length == 0 ? "" : String.valueOf(numbers[slot][target]);
  }

  private String name(int sae) {
    return saes.get(sae).name();
  }

  private ResultTable fitted() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("from", Type.TEXT, "The earlier SAE."),
                new Column("to", Type.TEXT, "The later SAE."),
                new Column("model", Type.TEXT, "What predicts."),
                new Column("start", Type.WHOLE, "Number of the start, from 0."),
                new Column("mse", Type.NUMBER, "Mean squared error of the tokens fitted."),
                new Column("held_out_mse", Type.NUMBER, "The same of those held out."),
                new Column("variance", Type.NUMBER, "The same of the mean alone."),
                new Column("explained", Type.NUMBER, "1 less their ratio.")));
    for (int p = 0; p < fits.size(); p++) {
      List<Fitted> all = fits.get(p).all();
      for (int i = 0; i < all.size(); i++) {
        Fitted fit = all.get(i);
        table.add(
            name(pairs.get(p).from()),
            name(pairs.get(p).to()),
            fit.model().name().toLowerCase(Locale.ROOT),
            (long) (i * ConnectionFits.STARTS / all.size()),
            fit.mse(),
            fit.heldOutMse(),
            fit.heldOutVariance(),
            fit.explained());
      }
    }
    return table;
  }
}
