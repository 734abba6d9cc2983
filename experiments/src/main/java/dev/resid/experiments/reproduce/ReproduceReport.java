package dev.resid.experiments.reproduce;

import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Answer;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes what a complete run found: tables, the figure and the page. */
final class ReproduceReport {
  private static final int DIGITS = 5;

  private static final List<String> NOT_CHECKED =
      List.of(
          "The error propagation that the text of its publication defines has no published value:"
              + " the published matrix divides unlike texts and positions, and is checked with that"
              + " mistake (part propagation); 'resid language propagation' measures the"
              + " definition.",
          "The KL of 2.6 of random vectors and of 0.46 of an SAE at attn_out of block 0: neither"
              + " the cosine of the one nor the SAE is published.",
          "Numbers that were published as ranges, but for the ends of a range: the final L2 of 130"
              + " to 300 of relative steps, factors of 2.2 to 4.5 and 0.9 to 1.7 over blocks.");

  private final RunFolder out;
  private final ReproduceOptions options;
  private final List<Check> checks;
  private final List<Missing> missing;

  ReproduceReport(
      RunFolder out, ReproduceOptions options, List<Check> checks, List<Missing> missing) {
    this.out = out;
    this.options = options;
    this.checks = checks;
    this.missing = missing;
  }

  ReproduceOutcome write(Workers workers) throws IOException {
    List<Check> off =
        checks.stream().filter(check -> check.verdict() == Verdict.DOES_NOT_HOLD).toList();
    StudyOutcome written =
        new StudyPage(
                "Published numbers, measured with " + StudyRecord.modelName(out.record()),
                "Do the published numbers come out of these files? Published, measured, how far"
                    + " apart both may be and where that comes from.")
            .section(answer())
            .section(figure())
            .section(new Table("By part", "Each part is a run in parts/.", summary()))
            .section(
                new Table(
                    "Numbers that do not hold",
                    "Apart by more than the tolerance. "
                        + off.size()
                        + " of "
                        + checks.size()
                        + ".",
                    table(off)))
            .section(new Table("All numbers that could be checked", "", table(checks)))
            .section(
                new Table(
                    "Files that are missing",
                    "Which numbers could not be checked, by the file they need. Nothing is"
                        + " downloaded by this command.",
                    missingTable()))
            .section(StudyRecord.run(out.record(), run()))
            .section(new Terms("Definitions", "", definitions()))
            .section(new Prose("What is not checked", NOT_CHECKED))
            .table("numbers", table(checks))
            .table("summary", summary())
            .table("missing", missingTable())
            .write(out, workers);
    return new ReproduceOutcome(out.path(), written.report(), checks, missing);
  }

  private Answer answer() {
    Map<Verdict, Integer> counts = new EnumMap<>(Verdict.class);
    checks.forEach(check -> counts.merge(check.verdict(), 1, Integer::sum));
    List<String> parts = new ArrayList<>();
    counts.forEach((verdict, count) -> parts.add(verdict.counted(count)));
    return new Answer(
        "In short",
        List.of(
            (parts.isEmpty()
                    ? "No number could be checked with these files."
                    : "Of "
                        + checks.size()
                        + " published numbers "
                        + String.join(", ", parts)
                        + ".")
                + (missing.isEmpty() ? "" : " Others need files that were not given.")));
  }

  private List<Term> run() {
    List<Term> terms = new ArrayList<>();
    terms.add(
        new Term(
            "SAEs",
            options.saes().isEmpty()
                ? "none"
                : String.join(
                    ", ", options.saes().stream().map(s -> s.published().name()).toList())));
    options
        .files()
        .given()
        .forEach(
            (input, path) -> terms.add(new Term(input.option(), path.getFileName().toString())));
    terms.add(
        new Term(
            "Rows of text",
            "at most " + options.shortRows() + " short and " + options.longRows() + " long"));
    return terms;
  }

  private static List<Term> definitions() {
    return List.of(
        new Term("Holds", "published and measured are apart by the tolerance or less."),
        new Term("Does not hold", "they are further apart."),
        new Term(
            "Not decidable here",
            "nothing is known about how far they may be apart, or that is more than half of the"
                + " published number."),
        new Term(
            "Standard errors",
            "those of this run's mean, from its bootstrap interval over rows or its spread over"
                + " items; the published mean's are taken to be the same, scaled by the square root"
                + " of the samples' sizes."));
  }

  private ResultTable table(List<Check> some) {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("source", Type.TEXT, "Where it was published."),
                new Column("part", Type.TEXT, "The run that measured it."),
                new Column("sae", Type.TEXT, "The SAE it is about; empty for the model alone."),
                new Column("number", Type.TEXT, "What it is."),
                new Column("published", Type.TEXT, "As it was printed."),
                new Column("measured", Type.TEXT, "What these files give; empty if nothing."),
                new Column("tolerance", Type.TEXT, "How far apart both may be; empty if unknown."),
                new Column("verdict", Type.TEXT, "Whether they are that near."),
                new Column("why", Type.TEXT, "Where the tolerance comes from.")));
    for (Check check : some) {
      table.add(
          check.number().source(),
          check.number().part().word(),
          String.join(" ", check.number().saes()),
          check.number().what(),
          check.number().printed(),
          text(check.value()),
          text(check.tolerance()),
          check.verdict().words(),
          check.why());
    }
    return table;
  }

  private static String text(java.util.OptionalDouble value) {
    return value.isEmpty() ? "" : Numbers.significant(value.getAsDouble(), DIGITS);
  }

  private ResultTable summary() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("part", Type.TEXT, "Name of its folder."),
                new Column("about", Type.TEXT, "What it measures."),
                new Column("numbers", Type.WHOLE, "Published numbers that it checked."),
                new Column("hold", Type.WHOLE, "Those that hold."),
                new Column("do_not_hold", Type.WHOLE, "Those that do not."),
                new Column("not_decidable", Type.WHOLE, "The others.")));
    for (Part part : Part.values()) {
      List<Check> own = checks.stream().filter(check -> check.number().part() == part).toList();
      if (!own.isEmpty()) {
        table.add(
            part.word(),
            part.title(),
            (long) own.size(),
            count(own, Verdict.HOLDS),
            count(own, Verdict.DOES_NOT_HOLD),
            count(own, Verdict.UNDECIDED));
      }
    }
    return table;
  }

  private static long count(List<Check> some, Verdict verdict) {
    return some.stream().filter(check -> check.verdict() == verdict).count();
  }

  private ResultTable missingTable() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("file", Type.TEXT, "What is missing, and where it is published."),
                new Column(
                    "numbers",
                    Type.WHOLE,
                    "Published numbers that need it; some need more than one file."),
                new Column("parts", Type.TEXT, "What they belong to.")));
    missing.forEach(one -> table.add(one.file(), (long) one.numbers(), one.parts()));
    return table;
  }

  private Figures figure() {
    List<Part> parts =
        Arrays.stream(Part.values())
            .filter(part -> checks.stream().anyMatch(check -> isDrawn(check, part)))
            .toList();
    List<Series> series = new ArrayList<>();
    for (int p = 0; p < parts.size(); p++) {
      Part part = parts.get(p);
      List<Value> points =
          checks.stream()
              .filter(check -> isDrawn(check, part))
              .map(
                  check ->
                      Value.named(
                          check.number().what() + ", " + check.verdict().words(),
                          check.number().value(),
                          check.value().getAsDouble()))
              .sorted(Comparator.comparingDouble(Value::x))
              .toList();
      series.add(new Series(part.word(), "", Style.ramp(p, parts.size()), Trace.MARKS, points));
    }
    double[] ends =
        series.stream()
            .flatMap(one -> one.points().stream())
            .mapToDouble(Value::x)
            .sorted()
            .toArray();
    if (ends.length > 0) {
      List<Value> diagonal =
          List.of(
              Value.at(ends[0], ends[0]), Value.at(ends[ends.length - 1], ends[ends.length - 1]));
      series.add(new Series("equal", "", Style.BLACK_DOTTED, Trace.LINE, diagonal));
    }
    Chart chart =
        new Chart(
            "Measured against published",
            "Every number that could be checked and is above 0; equal numbers lie on the diagonal",
            StudyRecord.source(out.record(), checks.size() + " numbers"),
            new AxisSpec("published, each in its own unit", "published", AxisKind.LOG),
            new AxisSpec("measured, in the same unit", "measured", AxisKind.LOG),
            List.of(new Panel("", series, Optional.empty())));
    return new Figures(
        "All numbers",
        "Point at a mark to read it.",
        List.of(),
        List.of(new Figure(Map.of(), "numbers", chart)));
  }

  private static boolean isDrawn(Check check, Part part) {
    return check.number().part() == part
        && check.number().value() > 0
        && check.value().orElse(0) > 0;
  }
}
