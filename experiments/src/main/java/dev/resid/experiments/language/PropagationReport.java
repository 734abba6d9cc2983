package dev.resid.experiments.language;

import dev.resid.experiments.language.PropagationStudy.Pairing;
import dev.resid.experiments.report.HeatMap;
import dev.resid.experiments.report.HeatMap.Cells;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
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
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** Writes what a complete run found: tables, figures and the page. */
final class PropagationReport {
  private static final List<String> NAMES = List.of("squared error", "L0", "norm");
  private static final List<String> KEYS = List.of("error", "l0", "norm");

  /** Changes below this count as small. */
  private static final double SMALL = 0.1;

  private final RunFolder out;
  private final List<SaeFacts> saes;
  private final Workers workers;
  private final Pairing pairing;
  private final RowLayout layout;
  private final Estimates estimates;

  private PropagationReport(RunFolder out, Settings notes, RowValues values, Workers workers) {
    this.out = out;
    this.saes = SaeFacts.of(notes);
    this.workers = workers;
    this.pairing =
        Pairing.valueOf(out.record().settings().text("pairing").toUpperCase(Locale.ROOT));
    this.layout = PropagationStudy.layout(saes.size(), pairing);
    long seed = out.record().settings().whole("seed");
    this.estimates = new Estimates(values, RowStudy.RESAMPLES, seed, workers);
  }

  /** Writes everything. */
  static StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    return new PropagationReport(out, notes, values, workers).write();
  }

  private Estimate change(int first, int second, int q) {
    return switch (pairing) {
      case SAME -> meanOfRatios(first, second, q);
      case PUBLISHED -> asPublished(first, second, q);
    };
  }

  /** The mean over all pairs of different rows: the product of sums without equal rows. */
  private Estimate asPublished(int first, int second, int q) {
    int at = layout.index(PropagationStudy.AT, first, second, q);
    int inverse = layout.index(PropagationStudy.INVERSE, first, second, q);
    int product = layout.index(PropagationStudy.PRODUCT, first, second, q);
    double pairs = (double) estimates.rows() * (estimates.rows() - 1);
    return estimates.of(sums -> (sums[at] * sums[inverse] - sums[product]) / pairs - 1);
  }

  private Estimate meanOfRatios(int first, int second, int q) {
    return estimates.ratio(
        layout.index(PropagationStudy.CHANGE, first, second, q),
        layout.index(PropagationStudy.COUNT, first, second, q));
  }

  private double ratioOfMeans(int first, int second, int q) {
    int after = layout.index(PropagationStudy.AFTER, first, second, q);
    int before = layout.index(PropagationStudy.BEFORE, first, second, q);
    return estimates.value(
        sums -> sums[after] == sums[before] ? 0 : sums[after] / sums[before] - 1);
  }

  private StudyOutcome write() throws IOException {
    ResultTable table = table();
    return new StudyPage(
            "Error propagation in " + StudyRecord.modelName(out.record()),
            "What does one SAE's reconstruction do to the input of an SAE further down?")
        .section(figures())
        .findings(
            "Verdicts come from 95 % bootstrap intervals over rows.", findings(), estimates.rows())
        .section(
            StudyRecord.run(
                out.record(),
                List.of(
                    new Term(
                        "Text",
                        out.record().facts().text("data") + ": " + estimates.rows() + " rows"))))
        .section(
            new Terms(
                "Definitions",
                "",
                List.of(
                    new Term(
                        "Fractional change",
                        "Q_after/Q_before − 1 at a token: Q of the second SAE on the activation"
                            + " after the first SAE's reconstruction was put in at all positions,"
                            + " against Q on the clean one; "
                            + paired()),
                    new Term(
                        "Ratio of means", "the same with Q summed over tokens before dividing."))))
        .section(
            new Prose(
                "What differs from the publication",
                List.of(
                    "The published matrix divides numbers of different rows and positions, by a"
                        + " mistake of its code; "
                        + switch (pairing) {
                          case SAME ->
                              "its text defines what is computed here. --pairing published divides"
                                  + " as its code does.";
                          case PUBLISHED -> "so does this run, in which --pairing was published.";
                        })))
        .section(new Table("Results", "Every pair of SAEs.", table))
        .table("results", table)
        .write(out, workers);
  }

  private String paired() {
    return switch (pairing) {
      case SAME ->
          "mean over the first 100 positions after the first one and over rows. Tokens with"
              + " Q_before = 0 and Q_after ≠ 0 have none.";
      case PUBLISHED ->
          "as in the published code, Q_after is that of position 50 of a row, Q_before those of the"
              + " first 100 positions after the first one of another row; mean over all pairs of"
              + " different rows. Tokens with Q_before = 0 are left out.";
    };
  }

  private Figures figures() {
    Map<String, String> what = new LinkedHashMap<>();
    List<Figure> figures = new ArrayList<>();
    // Only SAEs that are first of a pair have a row, only those that are second a column.
    int n = saes.size();
    List<Integer> rows =
        IntStream.range(0, n)
            .filter(a -> IntStream.range(0, n).anyMatch(b -> PropagationStudy.isPair(saes, a, b)))
            .boxed()
            .toList();
    List<Integer> columns =
        IntStream.range(0, n)
            .filter(b -> IntStream.range(0, n).anyMatch(a -> PropagationStudy.isPair(saes, a, b)))
            .boxed()
            .toList();
    for (int q = 0; q < NAMES.size(); q++) {
      what.put(KEYS.get(q), NAMES.get(q));
      List<List<Double>> cells = new ArrayList<>();
      for (int first : rows) {
        List<Double> row = new ArrayList<>();
        for (int second : columns) {
          boolean pair = PropagationStudy.isPair(saes, first, second);
          row.add(pair ? change(first, second, q).value() : Double.NaN);
        }
        cells.add(row);
      }
      figures.add(
          new Figure(
              Map.of("quantity", KEYS.get(q)),
              "propagation-" + KEYS.get(q),
              new HeatMap(
                  "Fractional change of " + NAMES.get(q),
                  "Rows: the SAE that is put in. Columns: the SAE that is looked at",
                  StudyRecord.source(out.record(), estimates.rows() + " rows"),
                  "Q_after/Q_before − 1",
                  List.of(
                      new Cells(
                          "",
                          "SAE put in",
                          rows.stream().map(s -> saes.get(s).name()).toList(),
                          "SAE looked at",
                          columns.stream().map(s -> saes.get(s).name()).toList(),
                          List.copyOf(cells))))));
    }
    return new Figures(
        "Error propagation",
        "Empty cells are pairs whose first SAE does not lie before the second.",
        List.of(new Choice("quantity", "Quantity", what)),
        figures);
  }

  private List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    for (int q = 0; q < NAMES.size(); q++) {
      int above = 0;
      int below = 0;
      List<String> texts = new ArrayList<>();
      for (int first = 0; first < saes.size(); first++) {
        for (int second = 0; second < saes.size(); second++) {
          if (PropagationStudy.isPair(saes, first, second)) {
            Estimate change = change(first, second, q);
            above += change.interval().low() > 0 ? 1 : 0;
            below += change.interval().high() < 0 ? 1 : 0;
            texts.add(
                saes.get(first).name() + " → " + saes.get(second).name() + " " + change.text(3));
          }
        }
      }
      int n = texts.size();
      Verdict verdict =
          above == n
              ? Verdict.HOLDS
              : above > 0 && below > 0
                  ? Verdict.PARTLY
                  : below > 0 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
      findings.add(
          new Finding(
              "An SAE raises the " + NAMES.get(q) + " at SAEs further down",
              String.join("; ", texts) + ".",
              verdict,
              "Above 0 for " + above + " of " + n + " pairs, below for " + below + "."));
    }
    findings.add(smallChange());
    return findings;
  }

  /** The norm's change lies within a tenth, wherever its interval says so. */
  private Finding smallChange() {
    int norm = NAMES.indexOf("norm");
    int inside = 0;
    int outside = 0;
    int pairs = 0;
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    for (int first = 0; first < saes.size(); first++) {
      for (int second = 0; second < saes.size(); second++) {
        if (PropagationStudy.isPair(saes, first, second)) {
          Estimate change = change(first, second, norm);
          double low = change.interval().low();
          double high = change.interval().high();
          inside += low > -SMALL && high < SMALL ? 1 : 0;
          outside += low > SMALL || high < -SMALL ? 1 : 0;
          least = Math.min(least, change.value());
          most = Math.max(most, change.value());
          pairs++;
        }
      }
    }
    Verdict verdict =
        inside == pairs
            ? Verdict.HOLDS
            : inside > 0 && outside > 0
                ? Verdict.PARTLY
                : outside > 0 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
    return new Finding(
        "The norm at SAEs further down changes by less than a tenth",
        "From "
            + Numbers.significant(least, 3)
            + " to "
            + Numbers.significant(most, 3)
            + " over "
            + pairs
            + " pairs.",
        verdict,
        "Within a tenth for "
            + inside
            + " of "
            + pairs
            + " pairs, outside for "
            + outside
            + ". For GPT-2 small 0.0099 to 0.0908 were published, of unlike texts.");
  }

  private ResultTable table() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("first", Type.TEXT, "The SAE that is put in."),
                new Column("second", Type.TEXT, "The SAE that is looked at."),
                new Column("quantity", Type.TEXT, "What changes."),
                new Column("change", Type.NUMBER, "Mean of Q_after/Q_before − 1."),
                new Column("change_low", Type.NUMBER, "Lower end of its 95 % interval."),
                new Column("change_high", Type.NUMBER, "Upper end of its 95 % interval."),
                new Column("ratio_of_means", Type.NUMBER, "Change of the sums over tokens."),
                new Column("tokens", Type.WHOLE, "Tokens that have a ratio.")));
    for (int first = 0; first < saes.size(); first++) {
      for (int second = 0; second < saes.size(); second++) {
        for (int q = 0; q < NAMES.size() && PropagationStudy.isPair(saes, first, second); q++) {
          Estimate change = change(first, second, q);
          int count = layout.index(PropagationStudy.COUNT, first, second, q);
          table.add(
              saes.get(first).name(),
              saes.get(second).name(),
              NAMES.get(q),
              change.value(),
              change.interval().low(),
              change.interval().high(),
              ratioOfMeans(first, second, q),
              Math.round(estimates.value(sums -> sums[count])));
        }
      }
    }
    return table;
  }
}
