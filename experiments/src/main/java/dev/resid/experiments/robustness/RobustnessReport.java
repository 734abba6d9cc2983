package dev.resid.experiments.robustness;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.robustness.RobustnessLayout.Fact;
import dev.resid.experiments.robustness.RobustnessLayout.Positions;
import dev.resid.experiments.robustness.RobustnessMeans.ComparedSae;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Writes what a complete run found: tables, figures and the page. */
final class RobustnessReport {
  private RobustnessReport() {}

  static StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    Settings settings = out.record().settings();
    Estimates estimates =
        new Estimates(values, RowStudy.RESAMPLES, settings.whole("seed"), workers);
    RobustnessMeans means = new RobustnessMeans(settings, estimates);
    RobustnessTables tables = new RobustnessTables(means);
    String source =
        StudyRecord.source(
            out.record(),
            Numbers.grouped(settings.whole("rows"))
                + " rows, "
                + Numbers.grouped(settings.whole("tokens"))
                + " tokens · seed "
                + settings.whole("seed"));
    RobustnessSaeFigures compared = new RobustnessSaeFigures(means, source);
    StudyPage page =
        new StudyPage(
            "Robustness against turned activations in " + StudyRecord.modelName(out.record()),
            "How much does the prediction change when an activation is turned by an angle and its"
                + " norm is held? Does the reconstruction of an SAE do more or less than a random"
                + " vector at the same angle?");
    for (Figures some :
        List.of(new RobustnessFigures(means, source).sites(), compared.saes(), compared.bins())) {
      if (!some.figures().isEmpty()) {
        page.section(some);
      }
    }
    page.findings(
            "The expectations are guesses of the source from GPT-2 and Pythia-70M. Verdicts come"
                + " from 95 % bootstrap intervals over rows; where an interval does not allow one,"
                + " none is given.",
            new RobustnessClaims(means).findings(), values.rows())
        .section(StudyRecord.run(out.record(), run(out, means)))
        .section(new Terms("Definitions", "", definitions()))
        .section(new Prose("What differs from the source", differences()));
    ResultTable turned = tables.turned();
    page.table("results", turned)
        .section(
            new Table(
                "Results by site and layer",
                "Click on a column's name to sort. Files beside this page have all digits.",
                turned));
    if (!means.saes().isEmpty()) {
      ResultTable saes = tables.saes();
      page.table("saes", saes)
          .section(new Table("SAEs and random vectors at equal cosine", "", saes))
          .table("bins", tables.bins());
    }
    return page.write(out, workers);
  }

  private static List<String> differences() {
    return List.of(
        "The source gives norms of about 0.9 without saying of what; here they are"
            + " shares of the norm of the activation at the position.",
        "A random vector is drawn for each row and position by itself and is the same"
            + " at all cosines, so that a curve follows one direction and no number"
            + " depends on the batch.",
        "All positions are replaced at once, so KL at a position also feels those"
            + " before it; in the figure by cosine it is filed under the cosine of its"
            + " own position.");
  }

  private static List<Term> run(RunFolder out, RobustnessMeans means) {
    Settings settings = out.record().settings();
    List<Term> terms = new ArrayList<>();
    terms.add(StudyRecord.text(out.record()));
    terms.add(
        new Term(
            "Cross-entropy of the clean run",
            means.mean(means.cleanCrossEntropy(), Positions.ALL).text(4) + " nats"));
    for (ComparedSae sae : means.saes()) {
      terms.add(
          new Term(
              sae.name(),
              sae.family()
                  + " SAE at "
                  + sae.point()
                  + ": L0 "
                  + text(means, sae, Fact.L0)
                  + ", mean cosine "
                  + text(means, sae, Fact.COSINE)
                  + ", mean ‖SAE(x)‖/‖x‖ "
                  + text(means, sae, Fact.LENGTH)));
    }
    terms.add(new Term("Seed", String.valueOf(settings.whole("seed"))));
    return terms;
  }

  private static String text(RobustnessMeans means, ComparedSae sae, Fact fact) {
    return Numbers.significant(means.mean(means.fact(sae.index(), fact), Positions.ALL).value(), 3);
  }

  private static List<Term> definitions() {
    return List.of(
        new Term(
            "Turned activation",
            "x' = ρ·‖x‖·(c·x/‖x‖ + √(1−c²)·u) with a random unit vector u perpendicular to x, drawn"
                + " uniformly; c is the cosine of x' and x, ρ the ratio of their norms."),
        new Term(
            "Random vector at equal cosine",
            "the same with c = cos(x, SAE(x)) at each position, and the norm of SAE(x) or ρ·‖x‖."),
        new Term("SAE(x)", "the reconstruction replaces x at every position of a row at once."),
        new Term(
            "KL",
            "Σ p·(ln p − ln q) over the vocabulary in nats, p without and q with the replacement."),
        new Term(
            "ΔCE",
            "cross-entropy of the next token with the replacement minus that without, in nats."),
        new Term(
            "Interval",
            "the middle 95 % of the means of "
                + RowStudy.RESAMPLES
                + " resamples of the rows with replacement."));
  }
}
