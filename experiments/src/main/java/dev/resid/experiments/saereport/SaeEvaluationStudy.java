package dev.resid.experiments.saereport;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Devices;
import dev.resid.experiments.study.RowMerge;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.RowStudy.Blocks;
import dev.resid.experiments.study.RowStudy.Steps;
import dev.resid.experiments.study.StudyPlan;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.SweepRunner;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.metric.ActivationMeans;
import dev.resid.sae.metric.FeatureCosines;
import dev.resid.sae.metric.SaeEvaluator;
import dev.resid.sae.metric.SaeSums;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.BinaryOperator;
import java.util.function.Function;

/**
 * Judges an SAE on a token set in two passes, one for the mean activation and one for everything
 * else. The rows are cut into parts that are written down as they are finished, so a run goes on
 * where an earlier process with the same settings stopped, and ends in the same results.
 */
public final class SaeEvaluationStudy {
  /** The command in records. */
  public static final String COMMAND = "sae evaluate";

  private static final String MEANS = "means";

  /** Rows of a part: at least so many, and more where there would be too many parts. */
  private static final int ROWS_PER_PART = 8;

  /** Sums of every feature are kept for every part. */
  private static final int MOST_PARTS = 64;

  private final Gpt2 gpt2;
  private final NamedSae named;
  private final SaeEvaluationOptions options;
  private final SaeEvaluator evaluator;
  private final int rowsPerPart;
  private final int parts;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model, with the weights the SAE was trained on
   * @param named the SAE
   * @param options what it is judged on
   * @throws IllegalArgumentException if model, SAE and tokens do not belong together
   */
  public SaeEvaluationStudy(Gpt2 gpt2, NamedSae named, SaeEvaluationOptions options) {
    this.gpt2 = gpt2;
    this.named = named;
    this.options = options;
    gpt2.requireTokens(options.tokens());
    this.evaluator = new SaeEvaluator(gpt2, named.sae(), options.batchRows());
    int rows = options.tokens().rows();
    this.rowsPerPart = Math.max(ROWS_PER_PART, (rows + MOST_PARTS - 1) / MOST_PARTS);
    this.parts = (rows - 1) / rowsPerPart + 1;
  }

  /**
   * Computes what is missing in the folder and writes the report.
   *
   * @param folder where; created if it is missing
   * @param progress told about every part
   * @param workers threads for what the backend does not do
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public SaeEvaluationOutcome run(Path folder, Progress progress, Workers workers)
      throws IOException {
    return rows().run(folder, progress, workers);
  }

  /**
   * Computes what is missing of one of several parts in the folder. Each takes the mean activation
   * of all rows; the rest is shared out.
   *
   * @param folder of this part; created if it is missing
   * @param shard which part
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public void runPart(Path folder, Shard shard, Progress progress, Workers workers)
      throws IOException {
    rows().run(folder, shard, progress, workers);
  }

  /**
   * Returns what puts the parts of a run together.
   *
   * @param shards output folders of all parts, in any order
   * @throws IllegalArgumentException if there are none
   */
  public static RowMerge<SaeEvaluationOutcome> merge(List<Path> shards) {
    return new RowMerge<>(COMMAND, shards, SaeReportWriter::write);
  }

  /** Returns what is computed and written. */
  public RowStudy<SaeEvaluationOutcome> rows() {
    return new RowStudy<>(
        // A part is one row of the log.
        new StudyPlan(
            COMMAND,
            settings(),
            facts(),
            parts,
            1,
            SaeSums.numbers(named.sae().config().dSae()),
            "parts",
            1),
        new Passes(),
        SaeReportWriter::write);
  }

  /** The mean activation, then everything else. */
  private final class Passes implements Steps {
    @Override
    public void compute(RunFolder out, Blocks blocks, Progress progress) throws IOException {
      ActivationMeans means = means(out, progress);
      blocks.run((range, done) -> new double[][] {evaluator.sums(part(range), means).toArray()});
    }

    @Override
    public Settings notes(RunFolder out, Progress progress) {
      Settings notes = new Settings();
      FeatureCosines.of(named.sae()).ifPresent(cosines -> notes.with("cosines", cosines));
      return notes;
    }
  }

  private ActivationMeans means(RunFolder out, Progress progress) throws IOException {
    int numbers = ActivationMeans.numbers(named.sae().config().dOut());
    SweepPlan plan =
        new SweepPlan(parts, 1, numbers, Shard.WHOLE, settings().with("pass", MEANS).toString());
    try (BlockLog log = BlockLog.open(out.work(MEANS + ".log"), plan)) {
      new SweepRunner(plan, MEANS, "parts", 1)
          .run(
              log,
              (range, done) -> new double[][] {evaluator.means(part(range)).toArray()},
              progress);
      return merged(log.values(), ActivationMeans::of, ActivationMeans::merge);
    }
  }

  /** Returns what all parts are together, in their order. */
  static <T> T merged(RowValues values, Function<double[], T> reader, BinaryOperator<T> merge) {
    T result = null;
    for (int p = 0; p < values.rows(); p++) {
      double[] row = new double[values.columns()];
      for (int i = 0; i < row.length; i++) {
        row[i] = values.get(p, i);
      }
      T one = reader.apply(row);
      result = result == null ? one : merge.apply(result, one);
    }
    return result;
  }

  private TokenBatch part(RowRange range) {
    int from = range.from() * rowsPerPart;
    return options.tokens().slice(from, Math.min(options.tokens().rows(), from + rowsPerPart));
  }

  private Settings settings() {
    TokenBatch tokens = options.tokens();
    SaeConfig config = named.sae().config();
    Settings settings =
        new Settings()
            .with("study", "sae-evaluate/1")
            .with("version", BuildInfo.current().version())
            .with("model_sha256", gpt2.sha256())
            .with("weights", gpt2.weightsState().name())
            .with("sae", named.name())
            .with("sae_sha256", named.sha256())
            .with("architecture", config.architecture().name().toLowerCase(Locale.ROOT))
            .with("d_in", config.dIn())
            .with("d_sae", config.dSae())
            .with("d_out", config.dOut())
            .with("reads", config.point().name())
            .with("writes", config.outputPoint().name())
            .with("backend", gpt2.backend().name())
            .with("tokens_sha256", TokenDigest.sha256(tokens))
            .with("rows", tokens.rows())
            .with("tokens", tokens.tokenCount())
            .with("rows_per_part", rowsPerPart);
    return Devices.recordFormat(gpt2.backend(), settings);
  }

  private Settings facts() {
    return StudyRecord.facts(gpt2)
        .with("text", options.text())
        .with("longest_row", options.tokens().maxLength());
  }
}
