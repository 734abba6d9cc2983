package dev.resid.experiments.language;

import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Writes what a complete run found: tables, figures and the page. */
final class ContextReport {
  /** Quantities of figures: those of {@link ClozeLayout}, then the cross-entropy's increase. */
  private static final List<String> QUANTITIES =
      List.of("L0", "L1", "squared error", "norm", "ΔCE (nats)");

  private static final List<String> KEYS = List.of("l0", "l1", "error", "norm", "ce");
  private static final int INCREASE = 4;
  private static final String FIRST_ABOVE = "The first position's norm is above all others";

  private final RunFolder out;
  private final ContextSizes sizes;
  private final Workers workers;
  private final RowLayout layout;
  private final int positions;
  private final double[] sums;
  private final int rows;

  /** Estimates of {@link #QUANTITIES} at shown positions and over the early and the late part. */
  private final Estimates estimates;

  private final RowLayout chosen;
  private final int[] shown;
  private final ContextRanges ranges;

  private ContextReport(RunFolder out, Settings notes, RowValues values, Workers workers) {
    this.out = out;
    this.sizes = ContextSizes.of(out.record().settings(), notes);
    this.workers = workers;
    this.positions = sizes.positions();
    this.layout = sizes.layout();
    this.sums = Bootstrap.sums(values);
    this.rows = values.rows();
    this.shown = shown(positions);
    this.chosen =
        RowLayout.empty()
            .with("shown", sizes.saes().size(), QUANTITIES.size(), shown.length)
            .with("half", sizes.saes().size(), QUANTITIES.size(), 2);
    long seed = out.record().settings().whole("seed");
    this.estimates = new Estimates(choose(values), RowStudy.RESAMPLES, seed, workers);
    this.ranges = new ContextRanges(sizes, values, shown, seed, workers);
  }

  /** Writes everything. */
  static StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    return new ContextReport(out, notes, values, workers).write();
  }

  /** Returns 0, 1, 3, 7, … and the last position that has a cross-entropy: 1, 2, 4, … from 1. */
  private static int[] shown(int positions) {
    List<Integer> places = new ArrayList<>();
    for (int place = 1; place < positions - 1; place *= 2) {
      places.add(place - 1);
    }
    places.add(positions - 2);
    return places.stream().mapToInt(p -> p).distinct().toArray();
  }

  /** Returns, of every row, what intervals are needed of. */
  private RowValues choose(RowValues values) {
    RowValues some = new RowValues(rows, chosen.count());
    for (int row = 0; row < rows; row++) {
      double[] numbers = new double[chosen.count()];
      for (int s = 0; s < sizes.saes().size(); s++) {
        for (int q = 0; q < QUANTITIES.size(); q++) {
          for (int p = 0; p < shown.length; p++) {
            numbers[chosen.index("shown", s, q, p)] = value(values, row, s, q, shown[p]);
          }
          int middle = (positions - 1) / 2;
          for (int pos = 1; pos < positions - 1; pos++) {
            int half = pos <= middle ? 0 : 1;
            int length = half == 0 ? middle : positions - 2 - middle;
            numbers[chosen.index("half", s, q, half)] += value(values, row, s, q, pos) / length;
          }
        }
      }
      some.set(row, numbers);
    }
    return some;
  }

  private double value(RowValues values, int row, int s, int q, int pos) {
    return q == INCREASE
        ? values.get(row, layout.index(ContextStudy.SAE_CE, s, pos))
            - values.get(row, layout.index(ContextStudy.CE, pos))
        : values.get(row, layout.index(ContextStudy.QUALITY, s, q, pos));
  }

  private StudyOutcome write() throws IOException {
    ResultTable table = table();
    boolean noSaes = sizes.saes().isEmpty();
    StudyPage page =
        noSaes
            ? new StudyPage(
                "Activations by position in " + StudyRecord.modelName(out.record()),
                "How large are activations, and how good is the prediction, at each position?")
            : new StudyPage(
                "SAEs by position in " + StudyRecord.modelName(out.record()),
                "Is an SAE as good late in the context as early, and at the first token?");
    return page.section(
            noSaes
                ? ranges.figures(source())
                : new ContextFigures(sizes, ranges, shown, rows, source()).section())
        .findings(
            "Verdicts come from 95 % bootstrap intervals over rows. The expectations are those"
                + " published for GPT-2 small, SAEs trained on 128 tokens and rows of 1,024.",
            noSaes ? cleanFindings() : findings(), rows)
        .section(
            StudyRecord.run(
                out.record(),
                List.of(
                    new Term(
                        "Text",
                        out.record().facts().text("data")
                            + ": "
                            + rows
                            + " rows of "
                            + positions
                            + " tokens"),
                    new Term(
                        "Seed of the resamples",
                        String.valueOf(out.record().settings().whole("seed"))))))
        .section(new Terms("Definitions", "", definitions()))
        .section(
            new Prose(
                "What differs from the publication",
                List.of(
                    "Cross-entropies come from the same rows as the rest; the publication drew"
                        + " fresh rows for them.",
                    "Its plotted position 1 is the begin-of-text token although its text leaves it"
                        + " out; here positions count from 1 and position 1 is that token.")))
        .section(
            new Table(
                "Results", "Means over rows; every position is in positions.csv.", shownTable()))
        .section(new Table("Ranges", "Means over rows and ranges of positions.", ranges.saes()))
        .section(
            new Table(
                "The clean model",
                "Norms and cross-entropy by range of positions.",
                ranges.clean()))
        .table("positions", table)
        .table("ranges", ranges.saes())
        .table("clean", ranges.clean())
        .table("results", shownTable())
        .write(out, workers);
  }

  private static List<Term> definitions() {
    return List.of(
        new Term("Position", "counted from 1, the begin-of-text token."),
        new Term(
            "L0, L1, squared error, norm",
            "features above 0, sum of activations, ‖SAE(x) − x‖² summed over the width, ‖x‖; of the"
                + " clean activation x."),
        new Term(
            "ΔCE",
            "−ln q of the next token with the SAE's reconstruction at all positions minus the same"
                + " without; the last position has none."),
        new Term("Interval", "the middle 95 % of " + RowStudy.RESAMPLES + " resamples of rows."));
  }

  private String source() {
    return StudyRecord.source(out.record(), rows + " rows of " + positions + " tokens");
  }

  private List<Finding> cleanFindings() {
    return IntStream.range(0, sizes.allPoints().size())
        .mapToObj(
            p ->
                finding(
                    FIRST_ABOVE + " at " + sizes.allPoints().get(p).name(),
                    ranges.firstAboveOthers(p)))
        .toList();
  }

  private static Finding finding(String claim, Estimate estimate) {
    Verdict verdict =
        estimate.interval().low() > 0
            ? Verdict.HOLDS
            : estimate.interval().high() < 0 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
    return new Finding(
        claim,
        "norm at position 1 minus the mean of the other positions shown: " + estimate.text(3) + ".",
        verdict,
        "");
  }

  private List<Finding> findings() {
    return List.of(
        finding(
            "Reconstructions raise the cross-entropy",
            s -> half(s, INCREASE, 0),
            "mean ΔCE over the first half without position 1, nats"),
        finding(
            "Late in the context reconstructions cost more than early",
            s ->
                sums ->
                    half(s, INCREASE, 1).applyAsDouble(sums)
                        - half(s, INCREASE, 0).applyAsDouble(sums),
            "ΔCE of the second half minus that of the first, nats"),
        finding(
            "The squared error is larger late in the context",
            s ->
                sums ->
                    half(s, ClozeLayout.SQUARED_ERROR, 1).applyAsDouble(sums)
                        - half(s, ClozeLayout.SQUARED_ERROR, 0).applyAsDouble(sums),
            "squared error of the second half minus that of the first"),
        finding(
            "More features are active late in the context",
            s ->
                sums ->
                    half(s, ClozeLayout.L0, 1).applyAsDouble(sums)
                        - half(s, ClozeLayout.L0, 0).applyAsDouble(sums),
            "L0 of the second half minus that of the first"),
        finding(
            FIRST_ABOVE,
            s ->
                sums ->
                    first(s).applyAsDouble(sums) - half(s, ClozeLayout.NORM, 0).applyAsDouble(sums),
            "norm at position 1 minus the mean of the first half"));
  }

  private ToDoubleFunction<double[]> half(int s, int q, int half) {
    int column = chosen.index("half", s, q, half);
    return totals -> totals[column] / rows;
  }

  private ToDoubleFunction<double[]> first(int s) {
    int column = chosen.index("shown", s, ClozeLayout.NORM, 0);
    return totals -> totals[column] / rows;
  }

  private Finding finding(
      String claim,
      java.util.function.IntFunction<ToDoubleFunction<double[]>> quantity,
      String unit) {
    int above = 0;
    int below = 0;
    List<String> texts = new ArrayList<>();
    for (int s = 0; s < sizes.saes().size(); s++) {
      Estimate estimate = estimates.of(quantity.apply(s));
      above += estimate.interval().low() > 0 ? 1 : 0;
      below += estimate.interval().high() < 0 ? 1 : 0;
      texts.add(sizes.saes().get(s).name() + " " + estimate.text(3));
    }
    int n = sizes.saes().size();
    Verdict verdict =
        above == n
            ? Verdict.HOLDS
            : above > 0 && below > 0
                ? Verdict.PARTLY
                : below > 0 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
    return new Finding(
        claim,
        unit + ": " + String.join("; ", texts) + ".",
        verdict,
        "Above 0 for " + above + " of " + n + " SAEs, below for " + below + ".");
  }

  private ResultTable shownTable() {
    List<Column> columns = new ArrayList<>();
    columns.add(new Column("sae", Type.TEXT, "Which SAE."));
    columns.add(new Column("position", Type.WHOLE, "Position, from 1."));
    for (String key : KEYS) {
      String name = key.equals("ce") ? "delta_ce_nats" : key;
      columns.add(new Column(name, Type.NUMBER, "Mean over rows."));
      columns.add(new Column(name + "_low", Type.NUMBER, "Lower end of its 95 % interval."));
      columns.add(new Column(name + "_high", Type.NUMBER, "Upper end of its 95 % interval."));
    }
    ResultTable table = new ResultTable(columns);
    for (int s = 0; s < sizes.saes().size(); s++) {
      for (int p = 0; p < shown.length; p++) {
        List<Object> cells = new ArrayList<>();
        cells.add(sizes.saes().get(s).name());
        cells.add((long) shown[p] + 1);
        for (int q = 0; q < QUANTITIES.size(); q++) {
          Estimate mean = estimates.mean(chosen.index("shown", s, q, p));
          cells.add(mean.value());
          cells.add(mean.interval().low());
          cells.add(mean.interval().high());
        }
        table.add(cells.toArray());
      }
    }
    return table;
  }

  private ResultTable table() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "Which SAE."),
                new Column("point", Type.TEXT, "Where it is put."),
                new Column("position", Type.WHOLE, "Position, from 1; the last has no CE."),
                new Column("l0", Type.NUMBER, "Active features."),
                new Column("l1", Type.NUMBER, "Sum of their activations."),
                new Column("squared_error", Type.NUMBER, "‖SAE(x) − x‖²."),
                new Column("norm", Type.NUMBER, "‖x‖."),
                new Column("ce_nats", Type.NUMBER, "Clean cross-entropy, nats."),
                new Column("sae_ce_nats", Type.NUMBER, "The same with the SAE, nats.")));
    for (int s = 0; s < sizes.saes().size(); s++) {
      SaeFacts sae = sizes.saes().get(s);
      for (int pos = 0; pos < positions - 1; pos++) {
        table.add(
            sae.name(),
            sae.reads().name(),
            (long) pos + 1,
            sums[layout.index(ContextStudy.QUALITY, s, ClozeLayout.L0, pos)] / rows,
            sums[layout.index(ContextStudy.QUALITY, s, ClozeLayout.L1, pos)] / rows,
            sums[layout.index(ContextStudy.QUALITY, s, ClozeLayout.SQUARED_ERROR, pos)] / rows,
            sums[layout.index(ContextStudy.QUALITY, s, ClozeLayout.NORM, pos)] / rows,
            sums[layout.index(ContextStudy.CE, pos)] / rows,
            sums[layout.index(ContextStudy.SAE_CE, s, pos)] / rows);
      }
    }
    return table;
  }
}
