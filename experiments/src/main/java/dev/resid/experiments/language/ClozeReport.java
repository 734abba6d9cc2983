package dev.resid.experiments.language;

import dev.resid.experiments.language.ClozeOptions.Quality;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.util.List;

/** Writes what a complete run found: tables, figures and the page. */
final class ClozeReport {
  private final RunFolder out;
  private final ClozeResult result;
  private final Workers workers;

  private ClozeReport(RunFolder out, Settings notes, RowValues values, Workers workers) {
    this.out = out;
    this.workers = workers;
    long seed = out.record().settings().whole("seed");
    this.result =
        new ClozeResult(notes, values, new Estimates(values, RowStudy.RESAMPLES, seed, workers));
  }

  /** Writes everything. */
  static StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    return new ClozeReport(out, notes, values, workers).write();
  }

  private StudyOutcome write() throws IOException {
    String title = ClozeTask.of(out.record().settings().text("task")).title();
    ClozeTables tables = new ClozeTables(result);
    ResultTable saes = tables.saes();
    ResultTable prompts = tables.prompts();
    String quality = out.record().settings().text("quality");
    StudyPage page =
        new StudyPage(
            title + " in " + StudyRecord.modelName(out.record()),
            "Does the model still predict the word when an activation is replaced by an SAE's"
                + " reconstruction at every position?");
    if (!result.saes().isEmpty()) {
      ClozeFigures figures =
          new ClozeFigures(result, StudyRecord.source(out.record(), result.prompts() + " prompts"));
      page.section(figures.strips()).section(figures.scatters());
    }
    page.findings(
            "Verdicts come from 95 % bootstrap intervals over prompts. The expectations are those"
                + " published for GPT-2 small with SAEs at the residual stream before each block.",
            new ClozeClaims(result).findings(), result.prompts())
        .section(
            new Table(
                "Results",
                "The first line is the model without an SAE; numbers of SAEs in figures count the"
                    + " others from 1.",
                saes))
        .table("results", saes)
        .section(StudyRecord.run(out.record(), run()))
        .section(new Terms("Definitions", "", definitions()))
        .section(new Prose("What differs from the publication", differences(quality)))
        .section(new Table("Prompts", "Every prompt and SAE.", prompts))
        .table("prompts", prompts);
    return page.write(out, workers);
  }

  private List<Term> run() {
    long cut = result.cut();
    return List.of(
        new Term("Prompts", out.record().facts().text("data") + ": " + result.prompts()),
        new Term("Too long for the model", cut == 0 ? "none" : cut + ", cut at their beginning"),
        new Term("Seed of the resamples", String.valueOf(out.record().settings().whole("seed"))));
  }

  private static List<Term> definitions() {
    return List.of(
        new Term(
            "Prompt",
            "the begin-of-text token and the text before the word. The answer is the first token of"
                + " a space and the word."),
        new Term(
            "Right",
            "the answer is the most probable token of the whole vocabulary at the last position."),
        new Term("Δ ln p", "ln q(answer) − ln p(answer), with the SAE and without, in nats."),
        new Term(
            "CE",
            "mean of −ln q(next token) over predictions made at positions 1 to n − 3 of a prompt of"
                + " n tokens: the first and the last one are left out. ΔCE: with the SAE minus"
                + " without."),
        new Term(
            "L0, L1, squared error, norm",
            "active features, sum of their activations, ‖SAE(x) − x‖² summed over the width, ‖x‖;"
                + " of the clean activation, mean over positions 0 to n − 2. Columns that end in"
                + " _rest leave position 0 out."),
        new Term(
            "Class", "0 both right, 1 the clean run only, 2 the run with the SAE only, 3 neither."),
        new Term(
            "Interval", "the middle 95 % of " + RowStudy.RESAMPLES + " resamples of the prompts."));
  }

  private static List<String> differences(String quality) {
    String twice =
        quality.equals(Quality.OF_RECONSTRUCTION.word())
            ? "L0, L1, error and norm are measured as in the published tables: on the"
                + " reconstruction fed to the SAE again, and ΔCE between two runs that both have"
                + " the SAE in place. That is not what their names say; leave out --quality for"
                + " that. Accuracy, classes and Δ ln p are not touched by it."
            : "In the published tables L0, L1, error and norm were measured on the reconstruction"
                + " fed to the SAE again, and ΔCE between two runs that both had the SAE in"
                + " place. Here they are of the clean activation and against the clean run"
                + " (--quality reconstruction does as published). Accuracy, classes and Δ ln p"
                + " were not touched by that.";
    return List.of(
        twice,
        "The publication's MSE is normalised by the training code of its SAEs: (SAE(x) − x)² over"
            + " ‖x − mean of the prompt‖, mean over the width; that is normalized_mse, and the"
            + " squared error is summed over the width, as in its other part.",
        "Means over prompts of CE weigh tokens alike: sums over all tokens of all prompts.");
  }
}
