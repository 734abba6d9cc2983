package dev.resid.experiments.plateau;

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

/**
 * Writes what a complete run found: tables, figures and the page. Nothing that differs between two
 * runs of the same settings goes in, such as times, paths or the number of threads; those are in
 * {@code run.json}.
 */
final class PlateauReport {
  private static final int HASH_DIGITS = 12;

  private final RunRecord record;
  private final PromptStatistics statistics;
  private final PlateauResult result;

  private PlateauReport(RunRecord record, PromptStatistics statistics, PlateauResult result) {
    this.record = record;
    this.statistics = statistics;
    this.result = result;
  }

  /**
   * Writes all files.
   *
   * @param out the run's folder
   * @param statistics of the clean activations
   * @param values complete
   * @param workers share resamples and pictures
   */
  static PlateauOutcome write(
      RunFolder out, PromptStatistics statistics, RowValues values, Workers workers)
      throws IOException {
    Settings settings = out.record().settings();
    Bootstrap bootstrap =
        new Bootstrap(
            Math.toIntExact(settings.whole("bootstrap_resamples")), settings.whole("seed"));
    PlateauResult result =
        new PlateauResult(
            Curve.of(out.record()),
            values,
            Scale.parse(settings.text("scale")).values(statistics),
            bootstrap,
            workers);
    return new PlateauReport(out.record(), statistics, result).writeTo(out, workers);
  }

  private PlateauOutcome writeTo(RunFolder out, Workers workers) throws IOException {
    PlateauTables tables = new PlateauTables(result);
    List<Finding> findings = new PlateauClaims(result).findings();
    List<Figures> figures = new PlateauFigures(result, source()).sections();
    Map<String, ResultTable> files = new LinkedHashMap<>();
    files.put("steps", tables.steps());
    files.put("curves", tables.curves());
    files.put("prompts", tables.prompts());
    files.put("findings", findingsTable(findings));
    files.put("statistics", statistics.table(result.scale()));
    Map<String, String> links = new LinkedHashMap<>();
    for (Map.Entry<String, ResultTable> file : files.entrySet()) {
      file.getValue().write(out.path(), file.getKey());
      links.put(file.getKey() + ".csv", file.getKey() + ".csv");
    }
    links.put("run.json", "run.json");
    List<Figure> all = figures.stream().flatMap(section -> section.figures().stream()).toList();
    Path folder = Files.createDirectories(out.file("figures"));
    try {
      workers.forEach(all.size(), i -> writeFigure(folder, all.get(i)));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    Path report = out.file("report.html");
    AtomicFiles.write(
        report,
        HtmlReport.of(
            "Plateaus and blow-ups in " + model(),
            "The residual stream of a prompt's last token is moved step by step from one activation"
                + " to another, at "
                + record.settings().text("site")
                + ". When do the final activation and the prediction follow, and does it matter"
                + " whether the activations are the model's own, random, or made of SAE features?",
            links,
            sections(findings, figures, files.get("steps"))));
    return new PlateauOutcome(out.path(), Optional.of(report), findings);
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
                new Column("expected", Type.TEXT, "What the publication says."),
                new Column("verdict", Type.TEXT, "Whether this run agrees."),
                new Column("found", Type.TEXT, "What this run says, with 95 % intervals."),
                new Column("detail", Type.TEXT, "What was published, or how it was decided.")));
    for (Finding finding : findings) {
      table.add(finding.expected(), finding.verdict().words(), finding.found(), finding.detail());
    }
    return table;
  }

  private List<Section> sections(List<Finding> findings, List<Figures> figures, ResultTable steps) {
    List<Section> sections = new ArrayList<>(figures);
    sections.add(
        1,
        new Findings(
            "What the publication claims, and what this run found",
            "The claims were made for GPT-2 small at resid_pre of block 1 with 1000 prompts.\u0020"
                + "Intervals are 95 % bootstrap intervals over prompts; a claim is left open where"
                + " the interval contains no difference.",
            findings));
    sections.add(new Terms("What was run", "", run()));
    sections.add(new Terms("Definitions", "", PlateauWords.definitions(result.scale())));
    sections.add(
        new Prose(
            "What differs from the publication", PlateauWords.differences(record.settings())));
    sections.add(
        new Table(
            "Step statistics",
            "Every way and statistic; click on a column's name to sort. The same numbers with all"
                + " their digits are in steps.csv; mean curves are in curves.csv, the steps of"
                + " every prompt in prompts.csv.",
            steps));
    return sections;
  }

  private List<Term> run() {
    Settings settings = record.settings();
    Settings facts = record.facts();
    String hash = settings.text("model_sha256");
    return List.of(
        new Term(
            "Model",
            model()
                + ": "
                + facts.whole("n_layers")
                + " blocks, d_model "
                + facts.whole("d_model")
                + ", "
                + Numbers.grouped(facts.whole("parameters"))
                + " parameters, weights "
                + settings.text("weights")),
        new Term("SHA-256 of the weights", hash.isEmpty() ? "made in memory" : hash),
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
        new Term("Seed", String.valueOf(settings.whole("seed"))),
        new Term("Backend", settings.text("backend")),
        new Term(
            "Software",
            "resid " + record.build().version() + ", commit " + record.build().commit()));
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
    String hash = settings.text("model_sha256");
    return model()
        + (hash.isEmpty() ? "" : " " + hash.substring(0, Math.min(HASH_DIGITS, hash.length())))
        + " · "
        + settings.text("site")
        + " · "
        + Numbers.grouped(settings.whole("prompts"))
        + " prompts of "
        + settings.whole("prompt_length")
        + " tokens · weights "
        + settings.text("weights")
        + " · seed "
        + settings.whole("seed")
        + " · resid "
        + record.build().version();
  }

  /** Returns the model's name without the folders it lies in, which differ between machines. */
  private String model() {
    String source = record.facts().text("model");
    Path last = Path.of(source).getFileName();
    return last == null ? source : last + (source.equals("embedded") ? " model" : "");
  }
}
