package dev.resid.experiments.saereport;

import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Guide;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.HtmlReport;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section;
import dev.resid.experiments.report.Section.Answer;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.io.AtomicFiles;
import dev.resid.sae.metric.FrequencyHistogram;
import dev.resid.sae.metric.SaeMetric;
import dev.resid.sae.metric.SaeReport;
import dev.resid.sae.metric.SaeSums;
import dev.resid.sae.metric.TokenScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes what a complete run found: tables, the figure and the page. Nothing that differs between
 * two runs of the same settings goes in; times, paths and threads are in {@code run.json}.
 */
final class SaeReportWriter {
  private final RunRecord record;
  private final SaeReport report;
  private final SaeTables tables;

  private SaeReportWriter(RunRecord record, SaeReport report) {
    this.record = record;
    this.report = report;
    this.tables = new SaeTables(report);
  }

  /** Writes what the parts of a run found together. */
  static SaeEvaluationOutcome write(
      RunFolder out, Settings notes, RowValues values, Workers workers) throws IOException {
    SaeSums sums = SaeEvaluationStudy.merged(values, SaeSums::of, SaeSums::merge);
    Optional<double[]> cosines =
        notes.has("cosines") ? Optional.of(notes.numbers("cosines")) : Optional.empty();
    SaeReport report = new SaeReport(sums, cosines);
    return new SaeEvaluationOutcome(new SaeReportWriter(out.record(), report).write(out), report);
  }

  /** Writes all files and returns the page. */
  private Path write(RunFolder out) throws IOException {
    Path folder = out.path();
    tables.metrics(SaeMetric.Group.values()).write(folder, "metrics");
    tables.frequencies().write(folder, "frequencies");
    AtomicFiles.write(folder.resolve("features.csv"), tables.features().toCsv());
    AtomicFiles.write(
        folder.resolve("report.json"), tables.json(name(), record.settings().text("sae_sha256")));
    Figures figures = figures();
    Path pictures = Files.createDirectories(out.file("figures"));
    for (Figure figure : figures.figures()) {
      AtomicFiles.write(pictures.resolve(figure.name() + ".svg"), figure.chart().toSvg());
      AtomicFiles.write(pictures.resolve(figure.name() + ".png"), figure.chart().toPng());
    }
    Map<String, String> files = new LinkedHashMap<>();
    for (String name :
        List.of("report.json", "metrics.csv", "features.csv", "frequencies.csv", "run.json")) {
      files.put(name, name);
    }
    Path page = out.file("report.html");
    AtomicFiles.write(
        page,
        HtmlReport.of(
            name() + " on " + record.facts().text("text"),
            "What a sparse autoencoder reconstructs of "
                + record.settings().text("writes")
                + " of "
                + StudyRecord.modelName(record)
                + ", and what its reconstruction does to the model's predictions.",
            files,
            sections(figures)));
    return page;
  }

  private List<Section> sections(Figures figures) {
    return List.of(
        new Answer("In short", inShort()),
        new Table(
            "Predictions",
            "The model's loss as it is, with the reconstruction y in the place of the activation x,"
                + " with 0 and with the mean activation there, at every position. All digits are in"
                + " metrics.csv.",
            tables.shown(SaeMetric.Group.PREDICTION)),
        new Table("Reconstruction", "", tables.shown(SaeMetric.Group.RECONSTRUCTION)),
        new Table("Sparsity", "", tables.shown(SaeMetric.Group.SPARSITY)),
        figures,
        StudyRecord.run(record, run()),
        new Prose(
            "How to read this",
            List.of(
                "Every number is given over all positions and over all but the first of each row:"
                    + " GPT-2's first position has an activation unlike all others, which can"
                    + " dominate a mean. The mean activation x̄ is that of the same positions; the"
                    + " mean ablation always puts that of all positions.",
                "A loss recovered of 1 says that the model predicts as well with the"
                    + " reconstruction as without; 0 says that it might as well be ablated. Zero"
                    + " ablation usually destroys the model, so even poor reconstructions recover"
                    + " much of it; mean ablation is the harder baseline.",
                "A feature counts as dead when it was active on no token here. More text can only"
                    + " make fewer features dead.",
                "Metrics that do not exist here, such as a cosine with a reconstruction that is"
                    + " always 0, are left out of the tables and null in report.json.")));
  }

  private List<String> inShort() {
    List<String> sentences = new ArrayList<>();
    sentences.add(
        "On average "
            + number(SaeMetric.L0)
            + " of "
            + Numbers.grouped(report.sums().dSae())
            + " features are active on a token; they explain "
            + percent(SaeMetric.EXPLAINED_VARIANCE)
            + " of a token's variance and reach a cosine of "
            + number(SaeMetric.COSINE)
            + " with the activation.");
    sentences.add(
        "With the reconstruction in the activation's place the loss rises from "
            + number(SaeMetric.CE_CLEAN)
            + " by "
            + number(SaeMetric.CE_INCREASE)
            + " nats: "
            + percent(SaeMetric.CE_RECOVERED_ZERO_ABLATION)
            + " of what zero ablation costs is recovered, and "
            + percent(SaeMetric.CE_RECOVERED_MEAN_ABLATION)
            + " of what mean ablation costs. The mean KL to the clean run is "
            + number(SaeMetric.KL_SAE)
            + " nats.");
    sentences.add(
        number(SaeMetric.DEAD_FEATURES)
            + " features ("
            + percent(SaeMetric.DEAD_PART)
            + ") are active on none of the "
            + Numbers.grouped(report.sums().tokens(TokenScope.ALL))
            + " tokens, "
            + number(SaeMetric.DENSE_FEATURES)
            + " on more than a tenth of them.");
    return sentences;
  }

  private String number(SaeMetric metric) {
    var value = report.find(metric, TokenScope.ALL);
    return value.isPresent() ? Numbers.brief(value.getAsDouble()) : "an undefined number";
  }

  private String percent(SaeMetric metric) {
    var value = report.find(metric, TokenScope.ALL);
    return value.isPresent()
        ? Numbers.brief(100 * value.getAsDouble()) + "\u00a0%"
        : "an undefined part";
  }

  private Figures figures() {
    Map<String, String> kinds = new LinkedHashMap<>();
    kinds.put("linear", "linear");
    kinds.put("log", "logarithmic");
    List<Figure> figures = new ArrayList<>();
    for (AxisKind kind : List.of(AxisKind.LINEAR, AxisKind.LOG)) {
      String key = kind.name().toLowerCase(java.util.Locale.ROOT);
      figures.add(new Figure(Map.of("axis", key), "frequencies-" + key, chart(kind)));
    }
    return new Figures(
        "How often features are active",
        "Five bins a power of ten; a point stands in the middle of its bin. Move the focus to the"
            + " figure and use the arrow keys to read values.",
        List.of(new Choice("axis", "Number of features", kinds)),
        figures);
  }

  private Chart chart(AxisKind kind) {
    List<Series> series = new ArrayList<>();
    Style[] styles = {Style.BLUE_SOLID, Style.VERMILION_DASHED};
    for (TokenScope scope : TokenScope.values()) {
      if (report.sums().tokens(scope) == 0) {
        continue;
      }
      FrequencyHistogram histogram = report.histogram(scope);
      List<Value> points = new ArrayList<>();
      for (int b = 0; b < histogram.counts().length; b++) {
        double count = histogram.counts()[b];
        double middle = Math.sqrt(histogram.edges()[b] * histogram.edges()[b + 1]);
        points.add(new Value(middle, count, count, count));
      }
      String name = scope == TokenScope.ALL ? "all positions" : "without the first";
      series.add(new Series(name, "", styles[scope.ordinal()], points));
    }
    String dead =
        Numbers.grouped((long) report.get(SaeMetric.DEAD_FEATURES, TokenScope.ALL))
            + " features are never active and not shown";
    return new Chart(
        "Features by how often they are active",
        "Number of features against the part of the tokens on which they are not 0; " + dead,
        source(),
        new AxisSpec("part of the tokens", "frequency", AxisKind.LOG),
        new AxisSpec("features in the bin", "features", kind).whole(),
        List.of(
            new Panel(
                "", series, Optional.of(new Guide(FrequencyHistogram.DENSE, "dense beyond")))));
  }

  private List<Term> run() {
    Settings settings = record.settings();
    return List.of(
        new Term(
            "SAE",
            name()
                + ": "
                + settings.text("architecture")
                + ", d_in "
                + settings.whole("d_in")
                + ", "
                + Numbers.grouped(settings.whole("d_sae"))
                + " features; reads "
                + settings.text("reads")
                + (settings.text("reads").equals(settings.text("writes"))
                    ? ""
                    : ", writes " + settings.text("writes"))),
        new Term("SHA-256 of the SAE's weights", StudyRecord.hash(settings.text("sae_sha256"))),
        StudyRecord.text(record));
  }

  private String source() {
    Settings settings = record.settings();
    return name()
        + " · "
        + settings.text("writes")
        + " · "
        + Numbers.grouped(settings.whole("tokens"))
        + " tokens · weights "
        + settings.text("weights")
        + " · resid "
        + record.build().version();
  }

  private String name() {
    return record.settings().text("sae");
  }
}
