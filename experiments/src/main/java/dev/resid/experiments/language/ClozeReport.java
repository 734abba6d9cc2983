package dev.resid.experiments.language;

import dev.resid.experiments.language.ClozeOptions.Quality;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.util.ArrayList;
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
    ResultTable saes = saeTable();
    ResultTable prompts = promptTable();
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

  private ResultTable saeTable() {
    List<Column> columns = new ArrayList<>();
    columns.add(new Column("sae", Type.TEXT, "Which SAE; none for the clean run."));
    columns.add(new Column("point", Type.TEXT, "Where it is put."));
    for (String name :
        List.of(
            "accuracy",
            "accuracy_low",
            "accuracy_high",
            "ce_nats",
            "delta_ce_nats",
            "delta_ce_low",
            "delta_ce_high",
            "delta_ln_p",
            "delta_ln_p_low",
            "delta_ln_p_high",
            "delta_ln_p_median",
            "share_no_decrease")) {
      columns.add(new Column(name, Type.NUMBER, described(name)));
    }
    for (int c = 0; c < ClozeLayout.CLASSES; c++) {
      columns.add(new Column("class_" + c, Type.WHOLE, "Prompts of class " + c + "."));
    }
    for (String name : List.of("l0", "l1", "squared_error", "norm")) {
      columns.add(new Column(name, Type.NUMBER, "Mean over positions, the first included."));
      columns.add(new Column(name + "_rest", Type.NUMBER, "The same without position 0."));
    }
    columns.add(
        new Column("normalized_mse", Type.NUMBER, "Error as the SAEs' training normalises it."));
    ResultTable table = new ResultTable(columns);
    Estimate accuracy = result.mean(ClozeLayout.CORRECT);
    long right = Math.round(accuracy.value() * result.prompts());
    int ce = result.column(ClozeLayout.CE_SUM);
    int count = result.column(ClozeLayout.CE_COUNT);
    List<Object> clean =
        new ArrayList<>(
            List.of(
                "none",
                "",
                accuracy.value(),
                accuracy.interval().low(),
                accuracy.interval().high(),
                result.estimates().ratio(ce, count).value(),
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                1.0,
                right,
                0L,
                0L,
                result.prompts() - right));
    for (int q = 0; q < 2 * ClozeLayout.QUANTITIES + 1; q++) {
      clean.add(0.0);
    }
    table.add(clean.toArray());
    for (int s = 0; s < result.saes().size(); s++) {
      table.add(line(s).toArray());
    }
    return table;
  }

  private List<Object> line(int s) {
    SaeFacts sae = result.saes().get(s);
    Estimate accuracy = result.mean(ClozeLayout.SAE_CORRECT, s);
    Estimate increase = result.deltaCrossEntropy(s);
    Estimate delta = result.mean(ClozeLayout.DELTA_LN_P, s);
    int ce = result.column(ClozeLayout.SAE_CE_SUM, s);
    int count = result.column(ClozeLayout.CE_COUNT);
    List<Object> cells =
        new ArrayList<>(
            List.of(
                sae.name(),
                sae.reads().name(),
                accuracy.value(),
                accuracy.interval().low(),
                accuracy.interval().high(),
                result.estimates().ratio(ce, count).value(),
                increase.value(),
                increase.interval().low(),
                increase.interval().high(),
                delta.value(),
                delta.interval().low(),
                delta.interval().high(),
                result.median(s),
                result.mean(ClozeLayout.NO_DECREASE, s).value()));
    for (int c = 0; c < ClozeLayout.CLASSES; c++) {
      int column = result.column(ClozeLayout.CLASS, s, c);
      cells.add(Math.round(result.estimates().value(sums -> sums[column])));
    }
    for (int q = 0; q < ClozeLayout.QUANTITIES; q++) {
      cells.add(result.withFirst(s, q));
      cells.add(result.withoutFirst(s, q));
    }
    cells.add(result.normalizedMse(s));
    return cells;
  }

  private static String described(String name) {
    return switch (name) {
      case "accuracy" -> "Part of the prompts whose answer is the most probable token.";
      case "ce_nats" -> "Mean cross-entropy of the prompts' tokens, nats.";
      case "delta_ce_nats" -> "Its increase by the SAE, nats.";
      case "delta_ln_p" -> "Mean change of the answer's log-probability, nats.";
      case "delta_ln_p_median" -> "Its median over prompts, nats.";
      case "share_no_decrease" -> "Part of the prompts whose Δ ln p is at least 0.";
      default ->
          name.endsWith("_low") ? "Lower end of the interval." : "Upper end of the interval.";
    };
  }

  private ResultTable promptTable() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("prompt", Type.WHOLE, "Number of the prompt, from 0."),
                new Column("text", Type.TEXT, "Its end and the answer."),
                new Column("tokens", Type.WHOLE, "Its tokens, the first included."),
                new Column("sae", Type.TEXT, "Which SAE; none for the clean run."),
                new Column("right", Type.WHOLE, "1 if the answer is the most probable token."),
                new Column("class", Type.WHOLE, "0 both, 1 clean only, 2 SAE only, 3 neither."),
                new Column("ln_p", Type.NUMBER, "ln of the answer's probability, nats."),
                new Column("delta_ln_p", Type.NUMBER, "Its change by the SAE, nats."),
                new Column(
                    "ce_nats", Type.NUMBER, "Cross-entropy of its tokens; 0 if it has none."),
                new Column("l0", Type.NUMBER, "Active features a position."),
                new Column("l1", Type.NUMBER, "Sum of their activations a position."),
                new Column("squared_error", Type.NUMBER, "‖SAE(x) − x‖² a position."),
                new Column("norm", Type.NUMBER, "‖x‖ a position."),
                new Column(
                    "normalized_mse", Type.NUMBER, "Error as the SAEs' training normalises it."),
                new Column(
                    "delta_ce_nats", Type.NUMBER, "Increase of the cross-entropy by the SAE.")));
    for (int row = 0; row < result.prompts(); row++) {
      ClozeResult.Prompt prompt = result.prompt(row);
      double lnP = result.get(row, ClozeLayout.LN_P);
      long right = (long) result.get(row, ClozeLayout.CORRECT);
      table.add(
          (long) row,
          prompt.text(),
          (long) prompt.length(),
          "none",
          right,
          right == 1 ? 0L : 3L,
          lnP,
          0.0,
          finite(result.crossEntropy(row, -1)),
          0.0,
          0.0,
          0.0,
          0.0,
          0.0,
          0.0);
      for (int s = 0; s < result.saes().size(); s++) {
        double delta = result.get(row, ClozeLayout.DELTA_LN_P, s);
        table.add(
            (long) row,
            prompt.text(),
            (long) prompt.length(),
            result.saes().get(s).name(),
            (long) result.get(row, ClozeLayout.SAE_CORRECT, s),
            (long) result.classOf(row, s),
            lnP + delta,
            delta,
            finite(result.crossEntropy(row, s)),
            result.ofPrompt(row, s, ClozeLayout.L0),
            result.ofPrompt(row, s, ClozeLayout.L1),
            result.ofPrompt(row, s, ClozeLayout.SQUARED_ERROR),
            result.ofPrompt(row, s, ClozeLayout.NORM),
            result.normalizedMse(row, s),
            finite(result.deltaCrossEntropy(row, s)));
      }
    }
    return table;
  }

  private static double finite(double value) {
    return Double.isFinite(value) ? value : 0;
  }
}
