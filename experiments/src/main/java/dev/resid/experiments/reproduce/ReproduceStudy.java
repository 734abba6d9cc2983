package dev.resid.experiments.reproduce;

import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Devices;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.SideBySide;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.io.FileHash;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Checks published numbers: runs every study whose files are there, each in a folder of its own
 * below {@code parts}, and puts its numbers beside the published ones.
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results.
 *
 * @source the collection of published numbers named by {@link PublishedTable#load}
 */
public final class ReproduceStudy {
  /** The command in records. */
  public static final String COMMAND = "reproduce";

  /** The folder of the parts' own runs. */
  static final String PARTS = "parts";

  private final Gpt2 gpt2;
  private final List<Gpt2> models;
  private final ReproduceOptions options;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model, with the weights that the SAEs were trained on
   * @param options what is checked
   * @throws IllegalArgumentException if the published numbers are of another model
   */
  public ReproduceStudy(Gpt2 gpt2, ReproduceOptions options) {
    this(List.of(gpt2), options);
  }

  /**
   * Prepares a run on several backends of one kind, which share the blocks of each part.
   *
   * @param models the same model on each, with the weights that the SAEs were trained on
   * @param options what is checked
   * @throws IllegalArgumentException if the published numbers are of another model
   */
  public ReproduceStudy(List<Gpt2> models, ReproduceOptions options) {
    this.models = List.copyOf(models);
    this.gpt2 = models.getFirst();
    this.options = options;
    Gpt2Config config = gpt2.config();
    PublishedTable table = options.table();
    if (config.nLayers() != table.fact("layers") || config.dModel() != table.fact("width")) {
      throw new IllegalArgumentException(
          "the published numbers are of a model of "
              + table.fact("layers")
              + " blocks and width "
              + table.fact("width")
              + ", "
              + gpt2.source()
              + " has "
              + config.nLayers()
              + " blocks and width "
              + config.dModel()
              + "; name the folder of that model with --model");
    }
    if (!gpt2.weightsState().equals(table.weights())) {
      throw new IllegalArgumentException(
          "the published numbers are of weights in the state "
              + table.weights().name()
              + ", the model's are "
              + gpt2.weightsState().name());
    }
  }

  /** Returns the parts that can be run. */
  public List<Part> parts() {
    return options.parts().stream().filter(part -> !options.of(part).isEmpty()).toList();
  }

  /** Returns in a few words what will be checked. */
  public String plan() {
    long can = options.table().numbers().stream().filter(options::canCheck).count();
    return String.format(
        Locale.ROOT,
        "%,d of %,d published numbers in %d parts (%s); rows of text: %,d short, %,d long",
        can,
        options.table().numbers().size(),
        parts().size(),
        String.join(", ", parts().stream().map(Part::word).toList()),
        options.shortRows(),
        options.longRows());
  }

  /**
   * Runs what is missing in the folder and writes the results.
   *
   * @param folder where; created if it is missing
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public ReproduceOutcome run(Path folder, Progress progress, Workers workers) throws IOException {
    RunRecord record =
        RunRecord.begin(
            COMMAND,
            settings(),
            StudyRecord.facts(gpt2, workers)
                .with("saes", options.saes().stream().map(sae -> sae.path().toString()).toList()),
            Shard.WHOLE.toString());
    for (Gpt2 model : models) {
      record = record.withDevices(Devices.of(model.backend()));
    }
    try (RunFolder out = RunFolder.open(folder, record)) {
      Map<Part, Integer> sizes = new EnumMap<>(Part.class);
      double seconds = 0;
      for (Part part : parts()) {
        Path own = folder(out, part);
        sizes.put(part, run(part, own, progress, workers));
        seconds += RunRecord.read(own).computingSeconds();
      }
      List<Check> checks = checks(out, sizes);
      ReproduceOutcome outcome =
          new ReproduceReport(out, options, checks, Missing.of(options)).write(workers);
      out.finish(seconds);
      return outcome;
    }
  }

  /** Runs what is missing of a part, and returns how many rows, prompts or items it has. */
  private int run(Part part, Path folder, Progress progress, Workers workers) throws IOException {
    List<RowStudy<StudyOutcome>> rows = new ArrayList<>();
    int size = 0;
    for (Gpt2 model : models) {
      PartStudies.Prepared prepared = new PartStudies(model, options).prepare(part);
      rows.add(prepared.study().rows(workers));
      size = prepared.size();
    }
    Progress named =
        (name, unit, done, total) -> progress.begin(part.word() + ", " + name, unit, done, total);
    SideBySide.run(rows, folder, named, workers);
    return size;
  }

  private static Path folder(RunFolder out, Part part) {
    return out.path().resolve(PARTS).resolve(part.word());
  }

  private List<Check> checks(RunFolder out, Map<Part, Integer> sizes) throws IOException {
    Map<Path, ResultTable> tables = new HashMap<>();
    List<Check> checks = new ArrayList<>();
    for (PublishedNumber number : options.table().numbers()) {
      if (!options.canCheck(number)) {
        continue;
      }
      Path own = folder(out, number.part());
      Path key = own.resolve(number.table());
      ResultTable table = tables.get(key);
      if (table == null) {
        table = ResultTable.read(own, number.table());
        tables.put(key, table);
      }
      checks.add(
          new Check(
              number,
              Measured.in(
                  table,
                  where(number),
                  number.column(),
                  number.scale(),
                  sizes.get(number.part()))));
    }
    return checks;
  }

  /** Returns the cells of a number's lines, with the SAEs' names where they stand for them. */
  private Map<String, String> where(PublishedNumber number) {
    Map<String, String> where = new HashMap<>(number.where());
    // The last one first: @2 begins as @ does.
    for (int i = number.saes().size() - 1; i >= 0; i--) {
      String mark = i == 0 ? "@" : "@" + (i + 1);
      String name = options.sae(number.saes().get(i)).orElseThrow().published().shortName();
      where.replaceAll((column, cell) -> cell.replace(mark, name));
    }
    return where;
  }

  private Settings settings() throws IOException {
    Settings settings =
        StudyRecord.settings("reproduce/1", gpt2, BuildInfo.current().version())
            .with("numbers_sha256", TokenDigest.sha256(options.table().numbers().toString()))
            .with("saes", options.saes().stream().map(sae -> sae.published().name()).toList())
            .with("saes_sha256", options.saes().stream().map(GivenSae::sha256).toList())
            .with("parts", parts().stream().map(Part::word).toList())
            .with("short_rows", options.shortRows())
            .with("long_rows", options.longRows())
            .with("bos", options.bos());
    for (Map.Entry<Input, Path> file : options.files().given().entrySet()) {
      settings =
          settings.with(
              file.getKey().name().toLowerCase(Locale.ROOT) + "_sha256",
              FileHash.sha256(file.getValue()));
    }
    return settings;
  }
}
