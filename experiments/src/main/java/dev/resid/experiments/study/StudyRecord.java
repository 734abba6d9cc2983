package dev.resid.experiments.study;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the record of every study holds of model, backend and text, and how pages say it. */
public final class StudyRecord {
  private static final int HASH_DIGITS = 12;

  private StudyRecord() {}

  /** Returns the facts that every study has: model, backend and threads beside it. */
  public static Settings facts(Gpt2 gpt2, Workers workers) {
    return facts(gpt2).with("worker_threads", workers.threads());
  }

  /** Returns the facts about a model and its backend that records hold. */
  public static Settings facts(Gpt2 gpt2) {
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
            .with("java", Runtime.version().toString());
    return Devices.record(gpt2.backend(), facts);
  }

  /**
   * Returns the entries on model, backend and software; settings as {@link #settings} makes them.
   */
  public static List<Term> model(RunRecord record) {
    Settings settings = record.settings();
    Settings facts = record.facts();
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
        new Term("SHA-256 of the weights", hash(settings.text("model_sha256"))),
        new Term("Backend", Devices.words(settings)),
        new Term(
            "Software",
            "resid " + record.build().version() + ", commit " + record.build().commit()));
  }

  /** Returns the hash of weights as pages show it, which those made in memory do not have. */
  public static String hash(String sha256) {
    return sha256.isEmpty() ? "made in memory" : sha256;
  }

  /**
   * Returns the entry on the rows of text of a run; settings and facts as studies of rows have
   * them.
   */
  public static Term text(RunRecord record) {
    Settings settings = record.settings();
    Settings facts = record.facts();
    return new Term(
        "Text",
        facts.text("text")
            + ": "
            + Numbers.grouped(settings.whole("rows"))
            + " rows"
            + (facts.has("longest_row")
                ? " of up to " + facts.whole("longest_row") + " tokens, "
                : ", ")
            + Numbers.grouped(settings.whole("tokens"))
            + " tokens; SHA-256 of the ids "
            + settings.text("tokens_sha256"));
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
