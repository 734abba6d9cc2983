package dev.resid.experiments.study;

import dev.resid.experiments.report.HtmlReport;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section;
import dev.resid.experiments.report.Section.Basis;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Findings;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.Workers;
import dev.resid.io.AtomicFiles;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
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

  private static final int HASH_DIGITS = 12;

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

  /** Returns the facts about a model that records hold. */
  public static Settings facts(Gpt2 gpt2, Workers workers) {
    Gpt2Config config = gpt2.config();
    Settings facts =
        new Settings()
            .with("model", gpt2.source())
            .with("n_layers", config.nLayers())
            .with("d_model", config.dModel())
            .with("n_heads", config.nHeads())
            .with("d_vocab", config.dVocab())
            .with("parameters", config.parameters())
            .with("backend_description", gpt2.backend().description())
            .with("worker_threads", workers.threads())
            .with("java", Runtime.version().toString());
    return Devices.record(gpt2.backend(), facts);
  }

  /**
   * Returns the entries on model, backend and software; settings as {@link #settings} makes them.
   */
  public static List<Term> model(RunRecord record) {
    Settings settings = record.settings();
    Settings facts = record.facts();
    String hash = settings.text("model_sha256");
    return List.of(
        new Term(
            "Model",
            plainName(record)
                + ": "
                + facts.whole("n_layers")
                + " blocks, d_model "
                + facts.whole("d_model")
                + ", "
                + Numbers.grouped(facts.whole("parameters"))
                + " parameters, weights "
                + settings.text("weights")),
        new Term("SHA-256 of the weights", hash.isEmpty() ? "made in memory" : hash),
        new Term("Backend", Devices.words(settings)),
        new Term(
            "Software",
            "resid " + record.build().version() + ", commit " + record.build().commit()));
  }

  /** Returns a part on what was run: entries of the study, then those on model and software. */
  public static Terms run(RunRecord record, List<Term> entries) {
    List<Term> all = new ArrayList<>(entries);
    all.addAll(model(record));
    return new Terms("What was run", "", all);
  }

  /**
   * Returns the settings that every study begins with.
   *
   * @param study name and version of what is computed, such as {@code patch/1}
   * @param gpt2 the model
   * @param version of the library
   */
  public static Settings settings(String study, Gpt2 gpt2, String version) {
    Settings settings =
        new Settings()
            .with("study", study)
            .with("version", version)
            .with("model_sha256", gpt2.sha256())
            .with("weights", gpt2.weightsState().name())
            .with("backend", gpt2.backend().name());
    return Devices.recordFormat(gpt2.backend(), settings);
  }

  /** Returns the SHA-256 of a text, hexadecimal, for settings that would be too long. */
  public static String sha256(String text) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * Returns what the model is called in a sentence: its name without the folders it lies in, which
   * differ between machines.
   */
  public static String modelName(RunRecord record) {
    boolean embedded = record.facts().text("model").equals("embedded");
    return (embedded ? "the " : "") + plainName(record);
  }

  private static String plainName(RunRecord record) {
    String source = record.facts().text("model");
    Path last = Path.of(source).getFileName();
    return last == null ? source : last + (source.equals("embedded") ? " model" : "");
  }

  /** Returns the line under a figure: model, data, seed, version. */
  public static String source(RunRecord record, String data) {
    Settings settings = record.settings();
    String hash = settings.text("model_sha256");
    return plainName(record)
        + (hash.isEmpty() ? "" : " " + hash.substring(0, Math.min(HASH_DIGITS, hash.length())))
        + " · "
        + data
        + " · weights "
        + settings.text("weights")
        + " · resid "
        + record.build().version();
  }
}
