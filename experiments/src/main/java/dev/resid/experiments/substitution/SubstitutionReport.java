package dev.resid.experiments.substitution;

import dev.resid.experiments.activations.ActivationStatistics;
import dev.resid.experiments.report.HtmlReport;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Findings;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.io.AtomicFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Writes what a complete run found: tables, figures and the page; nothing that differs by time. */
final class SubstitutionReport {
  private final RunRecord record;
  private final List<SubstitutedSae> saes;
  private final SubstitutionResult result;

  private SubstitutionReport(
      RunRecord record, List<SubstitutedSae> saes, SubstitutionResult result) {
    this.record = record;
    this.saes = saes;
    this.result = result;
  }

  static SubstitutionOutcome write(
      RunFolder out,
      Map<String, ActivationStatistics> statistics,
      RowValues values,
      Workers workers)
      throws IOException {
    Settings settings = out.record().settings();
    Bootstrap bootstrap =
        new Bootstrap(
            Math.toIntExact(settings.whole("bootstrap_resamples")), settings.whole("seed"));
    SubstitutionResult result =
        SubstitutionResult.of(SubstitutionStudy.cases(settings), values, bootstrap, workers);
    return new SubstitutionReport(out.record(), SubstitutedSae.of(settings, statistics), result)
        .writeTo(out, statistics, workers);
  }

  private SubstitutionOutcome writeTo(
      RunFolder out, Map<String, ActivationStatistics> statistics, Workers workers)
      throws IOException {
    ResultTable table = result.table(saes);
    List<Finding> findings = new SubstitutionClaims(result, saes).findings();
    SubstitutionFigures drawn =
        new SubstitutionFigures(
            result, saes, source(), Math.toIntExact(record.settings().whole("position")));
    Figures figures = drawn.section();
    Figures single = drawn.single();
    table.write(out.path(), "results");
    result.afterTable().write(out.path(), "single-position");
    findingsTable(findings).write(out.path(), "findings");
    for (Map.Entry<String, ActivationStatistics> entry : statistics.entrySet()) {
      entry.getValue().table().write(out.path(), "statistics-" + entry.getKey());
    }
    Path folder = Files.createDirectories(out.file("figures"));
    List<Figure> all = Stream.of(figures, single).flatMap(f -> f.figures().stream()).toList();
    try {
      workers.forEach(all.size(), i -> writeFigure(folder, all.get(i)));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    Map<String, String> files = new LinkedHashMap<>();
    for (String name : List.of("results.csv", "single-position.csv", "findings.csv", "run.json")) {
      files.put(name, name);
    }
    Path report = out.file("report.html");
    AtomicFiles.write(
        report,
        HtmlReport.of(
            "Substitution at equal distance in " + model(),
            "Is the reconstruction of an SAE worse for the prediction than a random change of the"
                + " same length? SAE(x) against isotropic, cov-random and real changes, with"
                + " corrections of the norm and ablations.",
            files,
            sections(findings, figures, single, table)));
    return new SubstitutionOutcome(out.path(), Optional.of(report), findings);
  }

  private static void writeFigure(Path folder, Figure figure) {
    try {
      AtomicFiles.write(folder.resolve(figure.name() + ".svg"), figure.chart().toSvg());
      AtomicFiles.write(folder.resolve(figure.name() + ".png"), figure.chart().toPng());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ResultTable findingsTable(List<Finding> findings) {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("expected", Type.TEXT, "What the publications say."),
                new Column("verdict", Type.TEXT, "Whether this run agrees."),
                new Column("found", Type.TEXT, "What this run says, with 95 % intervals."),
                new Column("detail", Type.TEXT, "How it was decided, and exceptions.")));
    for (Finding finding : findings) {
      table.add(finding.expected(), finding.verdict().words(), finding.found(), finding.detail());
    }
    return table;
  }

  private List<Section> sections(
      List<Finding> findings, Figures figures, Figures single, ResultTable table) {
    List<Section> sections = new ArrayList<>();
    for (Figures some : List.of(figures, single)) {
      if (!some.figures().isEmpty()) {
        sections.add(some);
      }
    }
    sections.add(
        new Findings(
            "What the publications expect, and what this run found",
            "The expectations are those stated for GPT-2 small and published SAEs. Intervals are"
                + " 95 % bootstrap intervals over rows.",
            findings));
    sections.add(new Terms("What was run", "", run()));
    sections.add(new Terms("Definitions", "", definitions()));
    sections.add(
        new Prose(
            "What differs from the publication",
            List.of(
                "Directions are drawn for each row and position by itself, so that no number"
                    + " depends on the batch.",
                "The mean of the mean ablation is that of all rows and positions but the first;"
                    + " the published code takes the mean of a batch.")));
    sections.add(
        new Table(
            "Results",
            "Every SAE and replacement; click on a column's name to sort. Files beside this page"
                + " have all digits.",
            table));
    return sections;
  }

  private List<Term> run() {
    Settings settings = record.settings();
    Settings facts = record.facts();
    List<Term> terms = new ArrayList<>();
    terms.add(
        new Term(
            "Model",
            model()
                + ": "
                + facts.whole("n_layers")
                + " blocks, d_model "
                + facts.whole("d_model")
                + ", weights "
                + settings.text("weights")));
    terms.add(
        new Term(
            "Text",
            facts.text("text")
                + ": "
                + Numbers.grouped(settings.whole("rows"))
                + " rows, "
                + Numbers.grouped(settings.whole("tokens"))
                + " tokens; SHA-256 of the ids "
                + settings.text("tokens_sha256")));
    for (SubstitutedSae sae : saes) {
      terms.add(
          new Term(
              sae.name(),
              sae.family()
                  + " SAE at "
                  + sae.point()
                  + ": L0 "
                  + Numbers.significant(sae.l0(), 3)
                  + ", mean ε "
                  + Numbers.significant(sae.epsilon(), 3)));
    }
    terms.add(new Term("Single position", String.valueOf(settings.whole("position"))));
    terms.add(new Term("Seed", String.valueOf(settings.whole("seed"))));
    terms.add(new Term("Backend", settings.text("backend")));
    terms.add(
        new Term(
            "Software",
            "resid " + record.build().version() + ", commit " + record.build().commit()));
    return terms;
  }

  private static List<Term> definitions() {
    return List.of(
        new Term("SAE(x)", "the reconstruction replaces x at every position of a row at once."),
        new Term(
            "Isotropic, cov-random mixture, real mixture",
            "x + ε·d, where ε is ‖SAE(x) − x‖ at the position and d a unit vector drawn for it:"
                + " with independent normal components; the difference of two random vectors with"
                + " the covariance of real activations; the difference of two real activations."),
        new Term("Norm corrected", "SAE(x)·‖x‖/‖SAE(x)‖."),
        new Term("Norm only", "x·‖SAE(x)‖/‖x‖."),
        new Term(
            "Random at the angle of SAE(x)",
            "n·(c·x/‖x‖ + √(1−c²)·u) with c = cos(x, SAE(x)), u a random unit vector perpendicular"
                + " to x, and n the norm of x or of SAE(x)."),
        new Term("Zero and mean ablation", "0, or the mean of the data, at every position."),
        new Term(
            "KL",
            "Σ p·(ln p − ln q) over the vocabulary in nats, p without and q with the replacement."),
        new Term("L2", "distance of the residual streams after the last block."),
        new Term(
            "Interval",
            "the middle 95 % of the means of "
                + SubstitutionStudy.RESAMPLES
                + " resamples of the rows with replacement."));
  }

  private String source() {
    Settings settings = record.settings();
    return model()
        + " · "
        + Numbers.grouped(settings.whole("rows"))
        + " rows, "
        + Numbers.grouped(settings.whole("tokens"))
        + " tokens · weights "
        + settings.text("weights")
        + " · seed "
        + settings.whole("seed")
        + " · resid "
        + record.build().version();
  }

  private String model() {
    String name = record.facts().text("model");
    Path last = Path.of(name).getFileName();
    return last == null ? name : last + (name.equals("embedded") ? " model" : "");
  }
}
