package dev.resid.experiments.substitution;

import dev.resid.experiments.activations.ActivationStatistics;
import dev.resid.experiments.activations.StatisticsPass;
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
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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

  /** Writes everything. */
  static StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    Settings settings = out.record().settings();
    Map<String, ActivationStatistics> statistics = new LinkedHashMap<>();
    for (String point : settings.list("points")) {
      statistics.put(point, StatisticsPass.read(out.path(), SubstitutionStudy.prefix(point)));
    }
    Bootstrap bootstrap =
        new Bootstrap(
            Math.toIntExact(settings.whole("bootstrap_resamples")), settings.whole("seed"));
    SubstitutionResult result =
        SubstitutionResult.of(SubstitutionStudy.cases(settings), values, bootstrap, workers);
    StudyPage page =
        new SubstitutionReport(out.record(), SubstitutedSae.of(settings, statistics), result)
            .page();
    statistics.forEach((point, found) -> page.table("statistics-" + point, found.table()));
    return page.write(out, workers);
  }

  private StudyPage page() {
    ResultTable table = result.table(saes);
    int position = Math.toIntExact(record.settings().whole("position"));
    SubstitutionFigures drawn = new SubstitutionFigures(result, saes, source(), position);
    StudyPage page =
        new StudyPage(
                "Substitution at equal distance in " + StudyRecord.modelName(record),
                "Is the reconstruction of an SAE worse for the prediction than a random change of"
                    + " the same length? SAE(x) against isotropic, cov-random and real changes,"
                    + " with corrections of the norm and ablations.")
            .table("results", table)
            .table("single-position", result.afterTable());
    Figures ablations = new AblationFigures(result, source(), position).section();
    for (Figures some : List.of(drawn.section(), drawn.single(), ablations)) {
      if (!some.figures().isEmpty()) {
        page.section(some);
      }
    }
    return page.findings(
            "The expectations are those stated for GPT-2 small and published SAEs. Intervals are"
                + " 95 % bootstrap intervals over rows.",
            findings(), Math.toIntExact(record.settings().whole("rows")))
        .section(StudyRecord.run(record, run()))
        .section(new Terms("Definitions", "", definitions()))
        .section(
            new Prose(
                "What differs from the publication",
                List.of(
                    "Directions are drawn for each row and position by itself, so that no number"
                        + " depends on the batch.",
                    "The mean of the mean ablation is that of all rows and positions but the"
                        + " first, or with --substitutes mean-with-first of all positions, as in"
                        + " the published number; the published code takes the mean of a batch.")))
        .section(
            new Table(
                "Results",
                "Every SAE and replacement; click on a column's name to sort. Files beside this"
                    + " page have all digits.",
                table));
  }

  private List<Finding> findings() {
    List<Finding> findings = new ArrayList<>(new SubstitutionClaims(result, saes).findings());
    findings.addAll(new SinglePositionClaims(result, saes).findings());
    return findings;
  }

  private List<Term> run() {
    Settings settings = record.settings();
    List<Term> terms = new ArrayList<>();
    terms.add(StudyRecord.text(record));
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
        new Term(
            "Zero and mean ablation",
            "0, or the mean of the data without position 0, at every position."),
        new Term(
            "KL",
            "Σ p·(ln p − ln q) over the vocabulary in nats, p without and q with the replacement."),
        new Term("L2", "distance of the residual streams after the last block."),
        new Term(
            "Interval",
            "the middle 95 % of the means of "
                + RowStudy.RESAMPLES
                + " resamples of the rows with replacement."));
  }

  private String source() {
    Settings settings = record.settings();
    return StudyRecord.source(
        record,
        Numbers.grouped(settings.whole("rows"))
            + " rows, "
            + Numbers.grouped(settings.whole("tokens"))
            + " tokens");
  }
}
