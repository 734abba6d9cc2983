package dev.resid.experiments.language;

import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** Writes what a complete run found: tables, figures and the page. */
final class FeatureEffectReport {
  private final RunFolder out;
  private final FeatureEffectResult result;
  private final Workers workers;

  private FeatureEffectReport(RunFolder out, Settings notes, RowValues values, Workers workers) {
    this.out = out;
    this.workers = workers;
    this.result =
        new FeatureEffectResult(
            SaeFacts.of(notes), out.record().settings().whole("seed"), values, workers);
  }

  /** Writes everything. */
  static StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    return new FeatureEffectReport(out, notes, values, workers).write();
  }

  private StudyOutcome write() throws IOException {
    Settings settings = out.record().settings();
    ClozeTask task = ClozeTask.of(settings.text("task"));
    ResultTable saes = saeTable();
    String source = StudyRecord.source(out.record(), result.prompts() + " prompts");
    return new StudyPage(
            "Features on " + task.title() + " in " + StudyRecord.modelName(out.record()),
            "When a feature is active, does the SAE's reconstruction help or hurt the answer?")
        .section(new FeatureEffectFigures(result, source).histograms())
        .findings(
            "The verdict on layers comes from a 95 % bootstrap interval over prompts, the others"
                + " from counts. The expectations are those published for GPT-2 small.",
            new FeatureEffectClaims(result, task).findings(), result.prompts())
        .section(new Table("Results", "Every feature is in features.csv.", saes))
        .table("results", saes)
        .table("features", featureTable())
        .section(
            StudyRecord.run(
                out.record(),
                List.of(
                    new Term(
                        "Prompts", out.record().facts().text("data") + ": " + result.prompts()),
                    new Term(
                        "Window",
                        settings.whole("window") + " positions before a prompt's final token"),
                    new Term("Seed of the resamples", String.valueOf(settings.whole("seed"))))))
        .section(new Terms("Definitions", "", definitions()))
        .section(
            new Prose(
                "What this can and cannot say",
                List.of(
                    "The effect is that of the whole reconstruction, not of one feature: features"
                        + " of a prompt share its Δ ln p.",
                    "The publication's text leaves open how Δ ln p = 0 counts; here, as in its"
                        + " code, as no decrease.")))
        .write(out, workers);
  }

  private static List<Term> definitions() {
    return List.of(
        new Term(
            "Active",
            "feature i is above 0 at a position of the prompt's window, on the clean activation;"
                + " M_i are the prompts in which it is."),
        new Term(
            "Δ ln p",
            "ln q(answer) − ln p(answer), with the SAE's reconstruction at all positions and"
                + " without, in nats."),
        new Term("Mean effect", "mean of Δ ln p over M_i; features with empty M_i are left out."),
        new Term("Score", "prompts of M_i with Δ ln p ≥ 0 minus the others."),
        new Term(
            "Interval", "the middle 95 % of " + RowStudy.RESAMPLES + " resamples of the prompts."));
  }

  private ResultTable saeTable() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "Which SAE."),
                new Column("point", Type.TEXT, "Where it is put."),
                new Column("d_sae", Type.WHOLE, "Its features."),
                new Column("active", Type.WHOLE, "Features active in at least one prompt."),
                new Column("mean_effect_nats", Type.NUMBER, "Mean over these of mean effects."),
                new Column("mean_effect_low", Type.NUMBER, "Lower end of its interval."),
                new Column("mean_effect_high", Type.NUMBER, "Upper end of its interval."),
                new Column("least_effect_nats", Type.NUMBER, "Least mean effect."),
                new Column("largest_effect_nats", Type.NUMBER, "Largest mean effect."),
                new Column("share_effect_above_0", Type.NUMBER, "Share of mean effects above 0."),
                new Column("least_score", Type.WHOLE, "Least score."),
                new Column("largest_score", Type.WHOLE, "Largest score."),
                new Column("share_score_at_most_0", Type.NUMBER, "Share of scores at most 0.")));
    for (int s = 0; s < result.saes().size(); s++) {
      double[] effects = result.effects(s);
      double[] scores = result.scores(s);
      if (effects.length == 0) {
        // Cells hold numbers; the 0 active features say that there are none.
        effects = new double[1];
        scores = new double[1];
      }
      Estimate mean = result.meanEffect(s);
      boolean none = result.features(s).length == 0;
      table.add(
          result.saes().get(s).name(),
          result.saes().get(s).reads().name(),
          (long) result.saes().get(s).dSae(),
          (long) result.features(s).length,
          none ? 0 : mean.value(),
          none ? 0 : mean.interval().low(),
          none ? 0 : mean.interval().high(),
          Arrays.stream(effects).min().orElseThrow(),
          Arrays.stream(effects).max().orElseThrow(),
          FeatureEffectClaims.share(effects, effect -> effect > 0),
          (long) Arrays.stream(scores).min().orElseThrow(),
          (long) Arrays.stream(scores).max().orElseThrow(),
          FeatureEffectClaims.share(scores, score -> score <= 0));
    }
    return table;
  }

  private ResultTable featureTable() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "Which SAE."),
                new Column("feature", Type.WHOLE, "Number of the feature, from 0."),
                new Column("prompts", Type.WHOLE, "Prompts in which it is active."),
                new Column("mean_effect_nats", Type.NUMBER, "Mean of Δ ln p over these, nats."),
                new Column("score", Type.WHOLE, "Those with Δ ln p ≥ 0 minus the others.")));
    for (int s = 0; s < result.saes().size(); s++) {
      for (int feature : result.features(s)) {
        table.add(
            result.saes().get(s).name(),
            (long) feature,
            (long) result.goodness(s).prompts(feature),
            result.goodness(s).meanEffectNats(feature).orElseThrow(),
            (long) result.goodness(s).score(feature));
      }
    }
    return table;
  }
}
