package dev.resid.experiments.sensitivity;

import dev.resid.experiments.activations.ActivationStatistics;
import dev.resid.experiments.activations.SaeCensus;
import dev.resid.experiments.activations.StatisticsPass;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.hook.HookPoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes what a complete run found: tables, figures and the page. Nothing that differs between two
 * runs of the same settings goes in, such as times, paths or the number of threads; those are in
 * {@code run.json}.
 */
final class SensitivityReport {
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

  /** Writes everything. */
  static StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    Settings settings = out.record().settings();
    ActivationStatistics statistics = StatisticsPass.read(out.path());
    Lengths lengths = Lengths.parse(settings.text("lengths"));
    Bootstrap bootstrap =
        new Bootstrap(
            Math.toIntExact(settings.whole("bootstrap_resamples")), settings.whole("seed"));
    List<SweptDirection> kinds =
        settings.list("directions").stream().map(SweptDirection::of).toList();
    SensitivityResult result =
        SensitivityResult.of(
            kinds,
            lengths.values(statistics.meanDistance()),
            Moved.parse(settings.text("moved")),
            values,
            bootstrap,
            workers);
    return new SensitivityReport(out.record(), statistics, result, lengths)
        .page()
        .write(out, workers);
  }

  private StudyPage page() {
    ResultTable table = result.table(statistics.meanDistance());
    List<SaeGroup> groups = SaeGroup.of(record.settings(), statistics);
    double distance = statistics.meanDistance();
    List<Finding> findings = new ArrayList<>(new Expectations(result, distance).findings());
    double depth =
        (double) HookPoint.parse(record.settings().text("site")).layer()
            / record.facts().whole("n_layers");
    findings.addAll(new EarlyLayer(result, depth).findings());
    findings.addAll(new SaeExpectations(result, distance, groups).findings());
    StudyPage page =
        new StudyPage(
                "Sensitive directions in " + StudyRecord.modelName(record),
                "How much does the prediction change when the residual stream is moved by a given"
                    + " length, and does the direction matter? Isotropic, cov-random and real"
                    + " directions at "
                    + record.settings().text("site")
                    + ".")
            .table("results", table)
            .table("exponents", result.exponents());
    for (Figures some :
        List.of(
            new SensitivityFigures(result, distance, source()).section(),
            new SaeFigures(result, groups, distance, source()).section(),
            new ExponentFigures(result, groups, source()).section())) {
      if (!some.figures().isEmpty()) {
        page.section(some);
      }
    }
    return page.findings(
            "The expectations are those stated for GPT-2 small at layer 6 with 2 million tokens of"
                + " OpenWebText. Intervals are 95 % bootstrap intervals over rows; a verdict is"
                + " given only where the interval allows it.",
            findings, Math.toIntExact(record.settings().whole("rows")))
        .table("statistics", statistics.table())
        .section(StudyRecord.run(record, run()))
        .section(new Terms("Definitions", "", definitions()))
        .section(new Prose("What differs from the publication", differences()))
        .section(
            new Table(
                "Results",
                "Every direction and length; click on a column's name to sort. The same numbers"
                    + " with all their digits are in results.csv.",
                table));
  }

  private List<Term> run() {
    Settings settings = record.settings();
    return List.of(
        new Term(
            "Perturbed",
            settings.text("site") + ", " + Moved.parse(settings.text("moved")).words()),
        new Term("L2 read at", settings.text("l2_site")),
        StudyRecord.text(record),
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
        new Term("Seed", String.valueOf(settings.whole("seed"))));
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

  private List<Term> definitions() {
    List<Term> terms = new ArrayList<>(commonDefinitions());
    if (result.kinds().stream().anyMatch(SweptDirection.Own.class::isInstance)) {
      terms.add(
          1,
          new Term(
              "Directions of one's own",
              "d comes from a rule of the program that made this run, which has the name that it"
                  + " has here; the rule itself is not in the records."));
    }
    return terms;
  }

  private static List<Term> commonDefinitions() {
    return List.of(
        new Term(
            "Perturbation",
            "x ← x + α·d at the positions that are perturbed, in the publication every one of a row"
                + " at once, the first one included; d has norm 1 and is drawn once for every row"
                + " and position, the same for all lengths α."),
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
                + " without it are given beside. Where one position alone is perturbed, it alone is"
                + " read."),
        new Term(
            "Interval",
            "the middle 95 % of the means of "
                + RowStudy.RESAMPLES
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
    return StudyRecord.source(
        record,
        settings.text("site")
            + " · "
            + Numbers.grouped(settings.whole("rows"))
            + " rows, "
            + Numbers.grouped(settings.whole("tokens"))
            + " tokens");
  }
}
