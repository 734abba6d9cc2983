package dev.resid.experiments.study;

import dev.resid.experiments.report.HtmlReport;
import dev.resid.experiments.report.Section;
import dev.resid.experiments.report.Section.Basis;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Findings;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
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

/**
 * The page of a study, with its tables and figures as files beside it. Nothing that differs between
 * two runs of the same settings goes in, such as times, paths or the number of threads; those are
 * in {@code run.json}.
 */
public final class StudyPage {
  /**
   * Fewer rows give no verdict. The interval of a bootstrap over n rows is about √((n−1)/n)·1.96/t
   * as wide as it should be, t the 97.5 % point of Student's distribution with n − 1 degrees of
   * freedom: 0.82 at 10 rows, but 0.63 at 5 and 0.31 at 3.
   */
  public static final int FEWEST_ROWS = 10;

  private final String title;
  private final String lead;
  private final Map<String, ResultTable> tables = new LinkedHashMap<>();
  private final List<Section> sections = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();

  /**
   * Creates a page without parts.
   *
   * @param title its title
   * @param lead the question, in one or two sentences
   */
  public StudyPage(String title, String lead) {
    this.title = title;
    this.lead = lead;
  }

  /** Adds a file {@code NAME.csv} and {@code NAME.json}. */
  public StudyPage table(String name, ResultTable table) {
    tables.put(name, table);
    return this;
  }

  /** Adds a part under its own heading. */
  public StudyPage section(Section section) {
    sections.add(section);
    return this;
  }

  /**
   * Adds what was expected and what was found, as a part and as a file. Verdicts that rest on fewer
   * than {@value #FEWEST_ROWS} rows are withdrawn.
   *
   * @param intro how verdicts are decided
   * @param found the findings
   * @param rows how many rows, prompts or pairs of prompts they rest on
   */
  public StudyPage findings(String intro, List<Finding> found, int rows) {
    List<Finding> decided = found.stream().map(finding -> decided(finding, rows)).toList();
    findings.addAll(decided);
    sections.add(new Findings("What was expected, and what this run found", intro, decided));
    return table("findings", findingsTable(decided));
  }

  private static Finding decided(Finding finding, int rows) {
    if (rows >= FEWEST_ROWS
        || finding.basis() == Basis.EVERY_ROW
        || finding.verdict() == Verdict.UNDECIDED) {
      return finding;
    }
    String why =
        "No verdict: it would rest on "
            + rows
            + " rows, prompts or pairs, and intervals from fewer than "
            + FEWEST_ROWS
            + " are too narrow.";
    return new Finding(
        finding.expected(),
        finding.found(),
        Verdict.TOO_FEW,
        finding.detail().isEmpty() ? why : why + " " + finding.detail());
  }

  private static ResultTable findingsTable(List<Finding> findings) {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("expected", Type.TEXT, "What the source says."),
                new Column("verdict", Type.TEXT, "Whether this run agrees."),
                new Column("found", Type.TEXT, "What this run says, with 95 % intervals."),
                new Column("detail", Type.TEXT, "How it was decided, and exceptions.")));
    for (Finding finding : findings) {
      table.add(finding.expected(), finding.verdict().words(), finding.found(), finding.detail());
    }
    return table;
  }

  /**
   * Writes all files.
   *
   * @param out the folder
   * @param workers share the pictures
   * @throws IOException if one cannot be written
   */
  public StudyOutcome write(RunFolder out, Workers workers) throws IOException {
    Map<String, String> files = new LinkedHashMap<>();
    for (Map.Entry<String, ResultTable> table : tables.entrySet()) {
      table.getValue().write(out.path(), table.getKey());
      files.put(table.getKey() + ".csv", table.getKey() + ".csv");
    }
    files.put(RunRecord.FILE, RunRecord.FILE);
    List<Figure> figures = new ArrayList<>();
    for (Section section : sections) {
      if (section instanceof Figures some) {
        figures.addAll(some.figures());
      }
    }
    Path folder = Files.createDirectories(out.file("figures"));
    try {
      workers.forEach(figures.size(), i -> writeFigure(folder, figures.get(i)));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    Path report = out.file("report.html");
    AtomicFiles.write(report, HtmlReport.of(title, lead, files, sections));
    return new StudyOutcome(out.path(), report, findings);
  }

  private static void writeFigure(Path folder, Figure figure) {
    try {
      AtomicFiles.write(folder.resolve(figure.name() + ".svg"), figure.chart().toSvg());
      AtomicFiles.write(folder.resolve(figure.name() + ".png"), figure.chart().toPng());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
