package dev.resid.experiments.saereport;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.SweepRunner;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.metric.ActivationMeans;
import dev.resid.sae.metric.FeatureCosines;
import dev.resid.sae.metric.SaeEvaluator;
import dev.resid.sae.metric.SaeReport;
import dev.resid.sae.metric.SaeSums;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.BinaryOperator;
import java.util.function.Function;

/**
 * Judges an SAE on a token set in two passes, one for the mean activation and one for everything
 * else. The rows are cut into parts that are written down as they are finished, so a run goes on
 * where an earlier process with the same settings stopped, and ends in the same results.
 */
public final class SaeEvaluationStudy {
  private static final String COMMAND = "sae evaluate";

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
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public SaeEvaluationOutcome run(Path folder, Progress progress) throws IOException {
    RunRecord record = RunRecord.begin(COMMAND, settings(), facts(), Shard.WHOLE.toString());
    try (RunFolder out = RunFolder.open(folder, record)) {
      int width = named.sae().config().dOut();
      Pass<ActivationMeans> first =
          pass(
              out,
              "means",
              ActivationMeans.numbers(width),
              progress,
              part -> evaluator.means(part).toArray(),
              ActivationMeans::of,
              ActivationMeans::merge);
      Pass<SaeSums> second =
          pass(
              out,
              "sums",
              SaeSums.numbers(named.sae().config().dSae()),
              progress,
              part -> evaluator.sums(part, first.result).toArray(),
              SaeSums::of,
              SaeSums::merge);
      SaeReport report = new SaeReport(second.result, FeatureCosines.of(named.sae()));
      Path page = new SaeReportWriter(out.record(), named, report).write(out);
      out.finish(first.seconds + second.seconds);
      return new SaeEvaluationOutcome(page, report);
    }
  }

  /** The merged numbers of all parts and how long they took. */
  private record Pass<T>(T result, double seconds) {}

  private <T> Pass<T> pass(
      RunFolder out,
      String name,
      int numbers,
      Progress progress,
      Function<TokenBatch, double[]> work,
      Function<double[], T> reader,
      BinaryOperator<T> merge)
      throws IOException {
    // A part is one row of the log.
    SweepPlan plan =
        new SweepPlan(parts, 1, numbers, Shard.WHOLE, settings().with("pass", name).toString());
    try (BlockLog log = BlockLog.open(out.work(name + ".log"), plan)) {
      new SweepRunner(plan, name, "parts", 1)
          .run(log, (range, done) -> new double[][] {work.apply(part(range))}, progress);
      T result = null;
      for (int p = 0; p < parts; p++) {
        double[] row = new double[numbers];
        for (int i = 0; i < numbers; i++) {
          row[i] = log.values().get(p, i);
        }
        T one = reader.apply(row);
        result = result == null ? one : merge.apply(result, one);
      }
      return new Pass<>(result, log.elapsedSeconds());
    }
  }

  private TokenBatch part(RowRange range) {
    int from = range.from() * rowsPerPart;
    return options.tokens().slice(from, Math.min(options.tokens().rows(), from + rowsPerPart));
  }

  private Settings settings() {
    TokenBatch tokens = options.tokens();
    SaeConfig config = named.sae().config();
    return new Settings()
        .with("study", "sae-evaluate/1")
        .with("version", BuildInfo.current().version())
        .with("model_sha256", gpt2.sha256())
        .with("weights", gpt2.weightsState().name())
        .with("sae", named.name())
        .with("sae_sha256", named.sha256())
        .with("architecture", config.architecture().name().toLowerCase(java.util.Locale.ROOT))
        .with("d_in", config.dIn())
        .with("d_sae", config.dSae())
        .with("d_out", config.dOut())
        .with("reads", config.point().name())
        .with("writes", config.outputPoint().name())
        .with("backend", gpt2.backend().name())
        .with("tokens_sha256", sha256(tokens))
        .with("rows", tokens.rows())
        .with("tokens", tokens.tokenCount())
        .with("rows_per_part", rowsPerPart);
  }

  private Settings facts() {
    Gpt2Config config = gpt2.config();
    return new Settings()
        .with("model", gpt2.source())
        .with("n_layers", config.nLayers())
        .with("d_model", config.dModel())
        .with("parameters", config.parameters())
        .with("text", options.text())
        .with("longest_row", options.tokens().maxLength())
        .with("backend_description", gpt2.backend().description())
        .with("java", Runtime.version().toString());
  }

  private static String sha256(TokenBatch tokens) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (int row = 0; row < tokens.rows(); row++) {
        int[] ids = tokens.row(row);
        ByteBuffer bytes = ByteBuffer.allocate((ids.length + 1) * Integer.BYTES);
        bytes.putInt(ids.length);
        bytes.asIntBuffer().put(ids);
        digest.update(bytes.array());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
