package dev.resid.experiments.dictionary;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.SaeFacts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What looking at single features found: tables, figures and claims. */
final class FeatureReport {
  private final Settings notes;
  private final List<SaeFacts> saes;
  private final FeatureUnits units;
  private final FeatureMeans means;

  FeatureReport(Settings notes, FeatureMeans means) {
    this.notes = notes;
    this.saes = SaeFacts.of(notes);
    this.units = means.units();
    this.means = means;
  }

  /** Returns the part of the page. */
  PartReport part(String source) {
    ResultTable features = features();
    Map<String, ResultTable> tables = new LinkedHashMap<>();
    tables.put("single-features", features);
    tables.put("examples", examples());
    tables.put("lens", lens());
    tables.put("ablated-text", texts());
    return new PartReport(
        new FeatureFigures(notes, means, source).all(),
        List.of(new FeatureCards(notes, means).section()),
        new FeatureClaims(means).findings(),
        definitions(),
        List.of(
            "Ablated text: the source does not say how long texts are beyond its data; here they"
                + " begin where a row begins and end at one of its first "
                + FeatureLayout.TEXT_TOKENS
                + " tokens, because the source's data are "
                + FeatureLayout.TEXT_TOKENS
                + " tokens long. The first token of a row is never removed on its own.",
            "Logit lens: the source leaves out tokens with ‖W_U[:, v]‖ above 20, a number for"
                + " Pythia; here those whose norm lies more than 6 standard deviations from the"
                + " median, which are "
                + notes.whole("masked")
                + " of this model's tokens."),
        List.of(
            new Table(
                "Single features",
                "Drawn evenly from the features of each SAE that are active on at least "
                    + FeatureSample.ACTIVE_AT_LEAST
                    + " tokens. Examples of each, by height of the activation, are in"
                    + " examples.csv.",
                features)),
        tables);
  }

  private List<Term> definitions() {
    return List.of(
        new Term(
            "Examples of every height",
            "the range between a feature's smallest and largest activation in the text is cut into "
                + FeatureLayout.BINS
                + " equal bins; one position is drawn from each that has any. Positions with the"
                + " smallest value, usually 0, have no bin."),
        new Term(
            "Logit lens",
            "d_i·W_U, without the final layer norm; directions inside an MLP or of z go through"
                + " W_out or W_O first. For claims it is measured in standard deviations over the"
                + " vocabulary."),
        new Term(
            "Ablated text",
            "for a text that ends at token t, each token i is removed in turn, the model run again,"
                + " and the feature's activation at the last token of the shorter text compared"
                + " with that of the whole text, as a share of the feature's mean at the ends of"
                + " its texts. Without t itself, t − 1 is the last."),
        new Term(
            "Ablation by direction",
            "f_i(x)·d_i is subtracted at every position; measured is the change of ln p of the true"
                + " next tokens, in at most "
                + FeatureSweep.ABLATED_ROWS
                + " rows in which the feature is active."),
        new Term(
            "Word before",
            "the tokens before the last one, back to one that begins with a space; one token where"
                + " the model has no tokenizer."));
  }

  private ResultTable features() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "Its name."),
                new Column("feature", Type.WHOLE, "Its number."),
                new Column("active_tokens", Type.WHOLE, "Tokens on which it is active."),
                new Column("largest", Type.NUMBER, "Its largest activation."),
                new Column("example", Type.TEXT, "Where that is, the token between brackets."),
                new Column("promoted", Type.TEXT, "Tokens with the largest d_i·W_U."),
                new Column("suppressed", Type.TEXT, "Tokens with the smallest d_i·W_U."),
                new Column("lens", Type.TEXT, "Lens of next tokens, active less elsewhere."),
                new Column("effect_nats", Type.TEXT, "Change of ln p without it, where active."),
                new Column("elsewhere_nats", Type.TEXT, "The same where it is not active."),
                new Column("without_word_before", Type.TEXT, "Change of the activation, share."),
                new Column("without_earlier_token", Type.TEXT, "Mean size of such changes.")));
    int[] filled = units.filled();
    for (int i = 0; i < filled.length; i++) {
      int unit = filled[i];
      table.add(
          name(unit),
          (long) units.feature(unit),
          (long) notes.numbers("feature_active")[i],
          notes.numbers("feature_largest")[i],
          notes.list("feature_example").get(i),
          notes.list("feature_promoted").get(i),
          notes.list("feature_suppressed").get(i),
          cell(unit, "lens", "lens_n"),
          cell(unit, "effect", "effect_n"),
          cell(unit, "elsewhere", "elsewhere_n"),
          cell(unit, "previous", "previous_n"),
          cell(unit, "others", "contrast_n"));
    }
    return table;
  }

  private String name(int unit) {
    return saes.get(units.sae(unit)).name();
  }

  private String cell(int unit, String above, String below) {
    return means.get(unit, below) == 0
        ? ""
        : Numbers.significant(means.ratio(unit, above, below), 3);
  }

  private ResultTable examples() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "Its name."),
                new Column("feature", Type.WHOLE, "Its number."),
                new Column("kind", Type.TEXT, "Among the most active, or drawn from a bin."),
                new Column("activation", Type.NUMBER, "The feature's activation."),
                new Column("row", Type.WHOLE, "Row of the text, from 0."),
                new Column("pos", Type.WHOLE, "Position in the row, from 0."),
                new Column("text", Type.TEXT, "The token between brackets, with text around.")));
    for (int unit : units.filled()) {
      String key = "examples_" + unit;
      double[] activations = notes.numbers(key + "_activation");
      double[] rows = notes.numbers(key + "_row");
      double[] positions = notes.numbers(key + "_pos");
      List<String> texts = notes.list(key + "_text");
      for (int i = 0; i < activations.length; i++) {
        table.add(
            name(unit),
            (long) units.feature(unit),
            i < notes.whole(key + "_bins") ? "bin" : "top",
            activations[i],
            (long) rows[i],
            (long) positions[i],
            texts.get(i));
      }
    }
    return table;
  }

  private ResultTable lens() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "Its name."),
                new Column("feature", Type.WHOLE, "Its number."),
                new Column("end", Type.TEXT, "Promoted or suppressed."),
                new Column("rank", Type.WHOLE, "From 1."),
                new Column("token", Type.WHOLE, "Its id."),
                new Column("text", Type.TEXT, "The token."),
                new Column("logit", Type.NUMBER, "d_i·W_U, for an activation of 1.")));
    for (int unit : units.filled()) {
      String key = "lens_" + unit;
      double[] tokens = notes.numbers(key + "_token");
      double[] logits = notes.numbers(key + "_logit");
      List<String> texts = notes.list(key + "_text");
      int promoted = Math.toIntExact(notes.whole(key + "_promoted"));
      for (int i = 0; i < tokens.length; i++) {
        table.add(
            name(unit),
            (long) units.feature(unit),
            i < promoted ? "promoted" : "suppressed",
            (i < promoted ? i : i - promoted) + 1L,
            (long) tokens[i],
            texts.get(i),
            logits[i]);
      }
    }
    return table;
  }

  private ResultTable texts() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("group", Type.TEXT, "Family and point of the SAEs."),
                new Column("distance", Type.WHOLE, "Of the removed token from the last one."),
                new Column("texts", Type.WHOLE, "Texts that have such a token."),
                new Column("change", Type.NUMBER, "Mean change of the activation, share of it."),
                new Column("low", Type.NUMBER, "Lower end of its 95 % interval over features."),
                new Column("high", Type.NUMBER, "Upper end of its 95 % interval.")));
    means
        .groups()
        .forEach(
            (name, group) -> {
              for (int d = 0; d < FeatureLayout.DISTANCES; d++) {
                int distance = d;
                Estimate change = group.mean("change", distance);
                if (Double.isFinite(change.value())) {
                  table.add(
                      name,
                      (long) distance,
                      (long)
                          group
                              .estimates()
                              .value(
                                  sums -> sums[FeatureLayout.VALUES.index("change_n", distance)]),
                      change.value(),
                      change.interval().low(),
                      change.interval().high());
                }
              }
            });
    return table;
  }
}
