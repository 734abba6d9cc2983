package dev.resid.experiments.language;

import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.SaeFacts;
import java.util.ArrayList;
import java.util.List;

/** The tables of a result, as they are written to files. */
final class ClozeTables {
  private static final List<Column> PROMPT_COLUMNS =
      List.of(
          new Column("prompt", Type.WHOLE, "Number of the prompt, from 0."),
          new Column("text", Type.TEXT, "Its end and the answer."),
          new Column("tokens", Type.WHOLE, "Its tokens, the first included."),
          new Column("sae", Type.TEXT, "Which SAE; none for the clean run."),
          new Column("right", Type.WHOLE, "1 if the answer is the most probable token."),
          new Column("class", Type.WHOLE, "0 both, 1 clean only, 2 SAE only, 3 neither."),
          new Column("ln_p", Type.NUMBER, "ln of the answer's probability, nats."),
          new Column("delta_ln_p", Type.NUMBER, "Its change by the SAE, nats."),
          new Column("ce_nats", Type.NUMBER, "Cross-entropy of its tokens; 0 if it has none."),
          new Column("l0", Type.NUMBER, "Active features a position."),
          new Column("l1", Type.NUMBER, "Sum of their activations a position."),
          new Column("squared_error", Type.NUMBER, "‖SAE(x) − x‖² a position."),
          new Column("norm", Type.NUMBER, "‖x‖ a position."),
          new Column("normalized_mse", Type.NUMBER, "Error as the SAEs' training normalises it."),
          new Column("delta_ce_nats", Type.NUMBER, "Increase of the cross-entropy by the SAE."));

  private final ClozeResult result;

  ClozeTables(ClozeResult result) {
    this.result = result;
  }

  /** Returns the clean run and every SAE, means over prompts. */
  ResultTable saes() {
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
    table.add(clean().toArray());
    for (int s = 0; s < result.saes().size(); s++) {
      table.add(line(s).toArray());
    }
    return table;
  }

  private List<Object> clean() {
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
    return clean;
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

  /** Returns every prompt, clean and with every SAE. */
  ResultTable prompts() {
    ResultTable table = new ResultTable(PROMPT_COLUMNS);
    for (int row = 0; row < result.prompts(); row++) {
      table.add(cleanPrompt(row));
      for (int s = 0; s < result.saes().size(); s++) {
        table.add(prompt(row, s));
      }
    }
    return table;
  }

  private Object[] cleanPrompt(int row) {
    ClozeResult.Prompt prompt = result.prompt(row);
    double lnP = result.get(row, ClozeLayout.LN_P);
    long right = (long) result.get(row, ClozeLayout.CORRECT);
    return new Object[] {
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
      0.0
    };
  }

  private Object[] prompt(int row, int s) {
    ClozeResult.Prompt prompt = result.prompt(row);
    double lnP = result.get(row, ClozeLayout.LN_P);
    double delta = result.get(row, ClozeLayout.DELTA_LN_P, s);
    return new Object[] {
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
      finite(result.deltaCrossEntropy(row, s))
    };
  }

  private static double finite(double value) {
    return Double.isFinite(value) ? value : 0;
  }
}
