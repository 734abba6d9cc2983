package dev.resid.experiments.plateau;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.util.List;

/**
 * Writes what a complete run found: tables, figures and the page. Nothing that differs between two
 * runs of the same settings goes in, such as times, paths or the number of threads; those are in
 * {@code run.json}.
 */
final class PlateauReport {
  private final RunRecord record;
  private final PromptStatistics statistics;
  private final PlateauResult result;

  private PlateauReport(RunRecord record, PromptStatistics statistics, PlateauResult result) {
    this.record = record;
    this.statistics = statistics;
    this.result = result;
  }

  /** Writes everything. */
  static StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    Settings settings = out.record().settings();
    PromptStatistics statistics = PromptStatistics.of(out.path());
    Bootstrap bootstrap =
        new Bootstrap(
            Math.toIntExact(settings.whole("bootstrap_resamples")), settings.whole("seed"));
    PlateauVariants variants = PlateauVariants.of(settings);
    PlateauResult result =
        new PlateauResult(
            CurveColumns.of(out.record()),
            variants.statistics(),
            values,
            variants.values(Scale.parse(settings.text("scale")), statistics),
            bootstrap,
            workers);
    return new PlateauReport(out.record(), statistics, result).page().write(out, workers);
  }

  private StudyPage page() {
    PlateauTables tables = new PlateauTables(result);
    List<Figures> figures = new PlateauFigures(result, source()).sections();
    ResultTable steps = tables.steps();
    StudyPage page =
        new StudyPage(
                "Plateaus and blow-ups in " + StudyRecord.modelName(record),
                "The residual stream of a prompt's last token is moved step by step from one"
                    + " activation to another, at "
                    + record.settings().text("site")
                    + ". When do the final activation and the prediction follow, and does it matter"
                    + " whether the activations are the model's own, random, or made of SAE"
                    + " features?")
            .table("steps", steps)
            .table("curves", tables.curves())
            .table("prompts", tables.prompts())
            .section(figures.getFirst())
            .findings(
                "The claims were made for GPT-2 small at resid_pre of block 1 with 1000 prompts."
                    + " Intervals are 95 % bootstrap intervals over prompts; a claim is left open"
                    + " where the interval contains no difference.",
                new PlateauClaims(result).findings(),
                Math.toIntExact(record.settings().whole("prompts")))
            .table("statistics", statistics.table(result.scale()));
    figures.subList(1, figures.size()).forEach(page::section);
    return page.section(StudyRecord.run(record, run()))
        .section(new Terms("Definitions", "", definitions()))
        .section(
            new Prose(
                "What differs from the publication", PlateauWords.differences(record.settings())))
        .section(
            new Table(
                "Step statistics",
                "Every way and statistic; click on a column's name to sort. The same numbers with"
                    + " all their digits are in steps.csv; mean curves are in curves.csv, the steps"
                    + " of every prompt in prompts.csv.",
                steps));
  }

  private List<Term> definitions() {
    return PlateauWords.definitions(
        result.scale(), PlateauVariants.of(record.settings()), result.statistics());
  }

  private List<Term> run() {
    Settings settings = record.settings();
    Settings facts = record.facts();
    return List.of(
        new Term("Moved", settings.text("site") + ", last position only"),
        new Term("L2 read at", settings.text("l2_site") + ", same position"),
        new Term(
            "Prompts",
            Numbers.grouped(settings.whole("prompts"))
                + ", drawn from "
                + Numbers.grouped(settings.whole("pool"))
                + " pieces of "
                + settings.whole("prompt_length")
                + " tokens of "
                + facts.text("text")
                + "; SHA-256 of the ids "
                + settings.text("tokens_sha256")),
        new Term(
            "Activations",
            "at the perturbed site: mean norm "
                + Numbers.significant(statistics.meanNorm(), 4)
                + ", mean distance of two prompts "
                + Numbers.significant(statistics.meanDistance(), 4)
                + ", trace of the covariance "
                + Numbers.significant(statistics.covarianceTrace(), 4)
                + "; mean distance of two prompts where L2 is read "
                + Numbers.significant(statistics.readDistance(), 4)),
        new Term("SAE", sae()),
        new Term("Scale", PlateauWords.scale(settings.text("scale"), result.scale(), statistics)),
        new Term("Seed", String.valueOf(settings.whole("seed"))));
  }

  private String sae() {
    Settings settings = record.settings();
    if (settings.text("sae").isEmpty()) {
      return "none; targets and starts that need one were not measured";
    }
    String hash = settings.text("sae_sha256");
    return settings.text("sae")
        + (hash.isEmpty() ? "" : ", SHA-256 " + hash)
        + ", densities "
        + (settings.text("densities").equals("file")
            ? "from its files"
            : "measured at the last positions of all pieces");
  }

  private String source() {
    Settings settings = record.settings();
    return StudyRecord.source(
        record,
        settings.text("site")
            + " · "
            + Numbers.grouped(settings.whole("prompts"))
            + " prompts of "
            + settings.whole("prompt_length")
            + " tokens");
  }
}
