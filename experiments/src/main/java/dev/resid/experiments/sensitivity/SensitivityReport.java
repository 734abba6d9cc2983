package dev.resid.experiments.sensitivity;

import dev.resid.experiments.activations.ActivationStatistics;
import dev.resid.experiments.activations.SaeCensus;
import dev.resid.experiments.direction.SweptDirection;
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

/**
 * Writes what a complete run found: tables, figures and the page. Nothing that differs between two
 * runs of the same settings goes in, such as times, paths or the number of threads; those are in
 * {@code run.json}.
 */
final class SensitivityReport {
  private static final int HASH_DIGITS = 12;

  private final RunRecord record;
  private final ActivationStatistics statistics;
  private final SensitivityResult result;
  private final Lengths lengths;

  private SensitivityReport(
      RunRecord record,
      ActivationStatistics statistics,
      SensitivityResult result,
      Lengths lengths) {
    this.record = record;
    this.statistics = statistics;
    this.result = result;
    this.lengths = lengths;
  }

  /**
   * Writes all files.
   *
   * @param out the run's folder
   * @param statistics of the clean activations
   * @param values complete
   * @param workers share resamples and pictures
   */
  static SensitivityOutcome write(
      RunFolder out, ActivationStatistics statistics, RowValues values, Workers workers)
      throws IOException {
    Settings settings = out.record().settings();
    Lengths lengths = Lengths.parse(settings.text("lengths"));
    Bootstrap bootstrap =
        new Bootstrap(
            Math.toIntExact(settings.whole("bootstrap_resamples")), settings.whole("seed"));
    List<SweptDirection> kinds =
        settings.list("directions").stream().map(SweptDirection::of).toList();
    SensitivityResult result =
        SensitivityResult.of(
            kinds, lengths.values(statistics.meanDistance()), values, bootstrap, workers);
    return new SensitivityReport(out.record(), statistics, result, lengths).writeTo(out, workers);
  }

  private SensitivityOutcome writeTo(RunFolder out, Workers workers) throws IOException {
    ResultTable table = result.table(statistics.meanDistance());
    List<SaeGroup> groups = SaeGroup.of(record.settings(), statistics);
    double distance = statistics.meanDistance();
    List<Finding> findings = new ArrayList<>(new Expectations(result, distance).findings());
    findings.addAll(new SaeExpectations(result, distance, groups).findings());
    Figures figures = new SensitivityFigures(result, distance, source()).section();
    Figures saes = new SaeFigures(result, groups, distance, source()).section();
    List<Figure> all = Stream.of(figures, saes).flatMap(f -> f.figures().stream()).toList();
    table.write(out.path(), "results");
    findingsTable(findings).write(out.path(), "findings");
    statistics.table().write(out.path(), "statistics");
    Path folder = Files.createDirectories(out.file("figures"));
    try {
      workers.forEach(all.size(), i -> writeFigure(folder, all.get(i)));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    Map<String, String> files = new LinkedHashMap<>();
    files.put("results.csv", "results.csv");
    files.put("findings.csv", "findings.csv");
    files.put("statistics.csv", "statistics.csv");
    files.put("run.json", "run.json");
    Path report = out.file("report.html");
    AtomicFiles.write(
        report,
        HtmlReport.of(
            "Sensitive directions in " + model(),
            "How much does the prediction change when the residual stream is moved by a given"
                + " length, and does the direction matter? Isotropic, cov-random and real"
                + " directions at "
                + record.settings().text("site")
                + ".",
            files,
            sections(findings, figures, saes, table)));
    return new SensitivityOutcome(out.path(), Optional.of(report), findings);
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
                new Column("detail", Type.TEXT, "How it was decided, and exceptions.")));
    for (Finding finding : findings) {
      table.add(finding.expected(), finding.verdict().words(), finding.found(), finding.detail());
    }
    return table;
  }

  private List<Section> sections(
      List<Finding> findings, Figures figures, Figures saes, ResultTable table) {
    List<Section> sections = new ArrayList<>();
    for (Figures some : List.of(figures, saes)) {
      if (!some.figures().isEmpty()) {
        sections.add(some);
      }
    }
    sections.addAll(rest(findings, table));
    return sections;
  }

  private List<Section> rest(List<Finding> findings, ResultTable table) {
    return List.of(
        new Findings(
            "What the publication expects, and what this run found",
            "The expectations are those stated for GPT-2 small at layer 6 with 2 million tokens of"
                + " OpenWebText. Intervals are 95 % bootstrap intervals over rows; a verdict is"
                + " given only where the interval allows it.",
            findings),
        new Terms("What was run", "", run()),
        new Terms("Definitions", "", definitions()),
        new Prose("What differs from the publication", differences()),
        new Table(
            "Results",
            "Every direction and length; click on a column's name to sort. The same numbers with"
                + " all their digits are in results.csv.",
            table));
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
        new Term("Perturbed", settings.text("site") + ", every position of a row at once"),
        new Term("L2 read at", settings.text("l2_site")),
        new Term(
            "Text",
            facts.text("text")
                + ": "
                + Numbers.grouped(settings.whole("rows"))
                + " rows of up to "
                + facts.whole("longest_row")
                + " tokens, "
                + Numbers.grouped(settings.whole("tokens"))
                + " tokens; SHA-256 of the ids "
                + settings.text("tokens_sha256")),
        new Term("SAEs", saesInWords()),
        new Term("Lengths", lengthsInWords()),
        new Term(
            "Activations",
            "mean norm "
                + Numbers.significant(statistics.meanNorm(), 4)
                + " ("
                + Numbers.significant(statistics.meanNormWithoutFirst(), 4)
                + " without position 0), mean distance of two "
                + Numbers.significant(statistics.meanDistance(), 4)
                + ", trace of the covariance "
                + Numbers.significant(statistics.covarianceTrace(), 4)
                + " over "
                + Numbers.grouped(statistics.vectors())
                + " vectors"),
        new Term("Pool of real activations", poolInWords()),
        new Term(
            "Ridge",
            Numbers.brief(settings.number("ridge"))
                + " on the diagonal of the covariance, "
                + Numbers.significant(ridgePercent(), 2)
                + " % of its trace"),
        new Term("Seed", String.valueOf(settings.whole("seed"))),
        new Term("Backend", settings.text("backend")),
        new Term(
            "Software",
            "resid " + record.build().version() + ", commit " + record.build().commit()));
  }

  private double ridgePercent() {
    double added = record.settings().number("ridge") * record.facts().whole("d_model");
    return 100 * added / statistics.covarianceTrace();
  }

  private String poolInWords() {
    long size = Math.min(record.settings().whole("pool"), statistics.vectors());
    return size == statistics.vectors()
        ? "all " + Numbers.grouped(size) + " activations but those of position 0"
        : Numbers.grouped(size)
            + " of "
            + Numbers.grouped(statistics.vectors())
            + " activations, chosen at random";
  }

  private String saesInWords() {
    List<String> names = record.settings().list("saes");
    if (names.isEmpty()) {
      return "none";
    }
    List<String> words = new ArrayList<>();
    for (String name : names) {
      SaeCensus census = statistics.sae(name);
      words.add(
          name
              + " (L0 "
              + Numbers.significant(census.meanL0(), 3)
              + ", mean error "
              + Numbers.significant(census.meanError(), 3)
              + ", "
              + Numbers.grouped(census.alive().cardinality())
              + " of "
              + Numbers.grouped(census.dSae())
              + " features alive)");
    }
    return String.join("; ", words);
  }

  private String lengthsInWords() {
    double[] values = result.lengths();
    String range =
        values.length
            + " from "
            + Numbers.brief(values[0])
            + " to "
            + Numbers.brief(values[values.length - 1]);
    return switch (lengths) {
      case Lengths.Published published -> range + ", the published ones";
      case Lengths.Scaled scaled ->
          range
              + ": the published ones, which were chosen for GPT-2 small with a mean distance of "
              + Lengths.PUBLISHED_DISTANCE
              + " between two activations, times "
              + Numbers.significant(statistics.meanDistance() / Lengths.PUBLISHED_DISTANCE, 3)
              + " for the mean distance here, rounded to three digits";
      case Lengths.Given given -> range + ", as asked for";
    };
  }

  private static List<Term> definitions() {
    return List.of(
        new Term(
            "Perturbation",
            "x ← x + α·d at every position of a row at once, the first one included; d has norm 1"
                + " and is drawn once for every row and position, the same for all lengths α."),
        new Term("Isotropic", "d is a normal random vector with independent components."),
        new Term(
            "Cov-random difference",
            "d points from x to a random vector that has the mean and the covariance of real"
                + " activations."),
        new Term(
            "Cov-random mixture",
            "d is the difference of two such random vectors; x is not part of it."),
        new Term(
            "Real difference", "d points from x to the activation of another token of the text."),
        new Term(
            "Real mixture",
            "d is the difference of two activations of other tokens; x is not part of it."),
        new Term("Error of an SAE", "d points from x to the SAE's reconstruction of x."),
        new Term(
            "Feature of an SAE",
            "d is the decoder direction of a feature, another one for every row and position. An"
                + " inactive one is active somewhere in the text, but nowhere in the row; an active"
                + " one is active somewhere in the row; a dead one nowhere in the text."),
        new Term(
            "KL",
            "Σ p·(ln p − ln q) over the vocabulary, in nats: p is the prediction of the next token"
                + " without the perturbation, q the one with it. It is 0 if nothing changes."),
        new Term(
            "L2",
            "Euclidean distance between the residual streams with and without the perturbation"
                + " after the last block, before the final layer norm."),
        new Term(
            "Mean",
            "over positions 0 to n−2 of all rows. The first position is included, as in the"
                + " publication, although its activation is unlike all others; the same means"
                + " without it are given beside."),
        new Term(
            "Interval",
            "the middle 95 % of the means of "
                + SensitivityStudy.RESAMPLES
                + " resamples of the rows with replacement. It says how much the mean depends on"
                + " the text, not how well the model stands for others."));
  }

  private List<String> differences() {
    Settings settings = record.settings();
    String weights =
        settings.text("weights").equals("transformerlens")
            ? "Weights are rewritten as TransformerLens does, as in the publication."
            : "Weights are as in the checkpoint. The publication ran on weights that"
                + " TransformerLens had centred, which leaves every KL as it is but changes L2:"
                + " with raw weights the blocks also write along the constant vector. For its L2"
                + " numbers use --weights transformerlens.";
    return List.of(
        weights,
        "Real activations are drawn for each row and position by itself, with x excluded by row and"
            + " position and equal pairs drawn again. The publication permutes a pool, so that no"
            + " vector comes twice in a batch; that would make the numbers depend on the batch"
            + " size.",
        "A cov-random mixture is drawn as one normal vector of twice the covariance, which has the"
            + " same distribution as the difference of two.",
        "The longest published length, 101, is part of the text of the publication but not of its"
            + " figures, which end at 91.");
  }

  private String source() {
    Settings settings = record.settings();
    String hash = settings.text("model_sha256");
    return model()
        + (hash.isEmpty() ? "" : " " + hash.substring(0, Math.min(HASH_DIGITS, hash.length())))
        + " · "
        + settings.text("site")
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

  /** Returns the model's name without the folders it lies in, which differ between machines. */
  private String model() {
    String source = record.facts().text("model");
    Path last = Path.of(source).getFileName();
    return last == null ? source : last + (source.equals("embedded") ? " model" : "");
  }
}
