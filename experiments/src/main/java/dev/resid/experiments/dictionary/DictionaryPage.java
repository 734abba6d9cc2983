package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.DictionaryOptions.Part;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Writes what the parts of a complete run found. */
final class DictionaryPage {
  private final RunFolder out;
  private final List<PartReport> parts;

  private DictionaryPage(RunFolder out, List<PartReport> parts) {
    this.out = out;
    this.parts = List.copyOf(parts);
  }

  /** Writes what is in a folder. */
  static StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    Settings settings = out.record().settings();
    long seed = settings.whole("seed");
    DictionaryLayout sizes = DictionaryLayout.of(notes);
    Map<Part, RowValues> rows = DictionaryRows.of(notes).split(values, sizes);
    String source = source(settings, out);
    List<PartReport> parts = new ArrayList<>();
    for (String part : settings.list("parts")) {
      Part which = Part.valueOf(part.toUpperCase(Locale.ROOT));
      RowValues own = rows.get(which);
      parts.add(
          switch (which) {
            case DICTIONARIES ->
                new DictionaryReport(
                        new DictionaryMeans(sizes, own, seed, workers),
                        FeatureCounts.of(notes),
                        DictionaryPairs.of(notes),
                        settings.whole("tokens"))
                    .part(source);
            case FEATURES ->
                new FeatureReport(
                        notes,
                        new FeatureMeans(
                            SaeFacts.of(notes), FeatureUnits.of(notes), own, seed, workers))
                    .part(source);
            case CONNECTIONS -> ConnectionReport.of(notes, own, seed).part(source);
          });
    }
    return new DictionaryPage(out, parts).write(workers);
  }

  /** Returns the line under figures. */
  private static String source(Settings settings, RunFolder out) {
    return StudyRecord.source(
        out.record(),
        Numbers.grouped(settings.whole("rows"))
            + " rows, "
            + Numbers.grouped(settings.whole("tokens"))
            + " tokens");
  }

  private StudyOutcome write(Workers workers) throws IOException {
    StudyPage page =
        new StudyPage(
            "SAEs as dictionaries in " + StudyRecord.modelName(out.record()),
            "What are the most frequent features of an SAE worth, how much of its raw error is the"
                + " norm of what it reconstructs, and which directions do two SAEs share? What do"
                + " single features respond to, and what do they do to predictions and to later"
                + " features?");
    List<Finding> findings = new ArrayList<>();
    List<Term> definitions = new ArrayList<>();
    List<String> remarks = new ArrayList<>();
    for (PartReport part : parts) {
      for (Figures figures : part.figures()) {
        if (!figures.figures().isEmpty()) {
          page.section(figures);
        }
      }
      part.cards().forEach(page::section);
      findings.addAll(part.findings());
      definitions.addAll(part.definitions());
      remarks.addAll(part.remarks());
    }
    page.findings(
            "Verdicts come from 95 % bootstrap intervals over rows or, for single features, over"
                + " features; where an interval does not allow one, none is given.",
            findings, Math.toIntExact(out.record().settings().whole("rows")))
        .section(StudyRecord.run(out.record(), run()))
        .section(new Terms("Definitions", "", definitions))
        .section(new Prose("What differs from the source", remarks));
    for (PartReport part : parts) {
      part.shown().forEach(page::section);
      part.tables().forEach(page::table);
    }
    return page.write(out, workers);
  }

  private List<Term> run() {
    Settings settings = out.record().settings();
    return List.of(
        StudyRecord.text(out.record()),
        new Term("Parts", String.join(", ", settings.list("parts"))),
        new Term(
            "Rows that continuations start from",
            Numbers.grouped(settings.whole("removal_rows")) + ", the first ones"),
        new Term(
            "Features looked at one by one",
            "at most " + settings.whole("features") + " of each SAE"),
        new Term(
            "Directions compared",
            settings.text("atoms").equals("alive")
                ? "those of features that are active somewhere in the text"
                : "all"),
        new Term(
            "One-to-one partners",
            "for dictionaries of at most "
                + Numbers.grouped(settings.whole("assigned_at_most"))
                + " directions"),
        new Term("Seed", String.valueOf(settings.whole("seed"))));
  }
}
