package dev.resid.experiments.sensitivity;

import dev.resid.experiments.activations.ActivationStatistics;
import dev.resid.experiments.activations.BatchSizes;
import dev.resid.experiments.activations.PointData;
import dev.resid.experiments.activations.StatisticsPass;
import dev.resid.experiments.direction.ActivationPool;
import dev.resid.experiments.direction.Direction;
import dev.resid.experiments.direction.Gaussian;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.SweepRunner;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * The first experiment of the sensitive-directions work: isotropic, cov-random and real directions
 * at a {@code resid_pre}, KL and L2 against the perturbation length.
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results.
 *
 * @source Lee and Heimersheim 2024, "Investigating Sensitive Directions in GPT-2" (arXiv
 *     2410.12555), section 3, figure 1
 */
public final class SensitivityStudy {
  /** The command in records. */
  public static final String COMMAND = "sensitivity";

  /** The log of finished blocks. */
  static final String LOG = "rows.log";

  /** Resamples of the rows for intervals. */
  static final int RESAMPLES = 1000;

  private static final int ROWS_PER_BLOCK = 8;
  private static final long MOST_BYTES = 768L << 20;

  /** Part of the heap that the activations of one call may take. */
  private static final int HEAP_PART = 8;

  private final Gpt2 gpt2;
  private final SensitivityOptions options;
  private final BatchSizes batches;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @throws IllegalArgumentException if the model has no such layer or token, its context is too
   *     short, or an SAE was not made for the activation that is perturbed
   */
  public SensitivityStudy(Gpt2 gpt2, SensitivityOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
    Gpt2Config config = gpt2.config();
    if (options.layer() < 0 || options.layer() >= config.nLayers()) {
      throw new IllegalArgumentException(
          "layer is " + options.layer() + ", the model's are 0 to " + (config.nLayers() - 1));
    }
    if (options.tokens().maxLength() > config.nCtx()) {
      throw new IllegalArgumentException(
          "a row has "
              + options.tokens().maxLength()
              + " tokens, the model's context is "
              + config.nCtx()
              + "; use a smaller --row-length");
    }
    requireVocabulary(options.tokens(), config.dVocab());
    HookPoint perturbed = HookPoint.residPre(options.layer());
    options.saes().forEach(sae -> sae.requireReconstructs(gpt2, perturbed));
    this.batches =
        BatchSizes.choose(
            config,
            options.tokens().maxLength(),
            options.lengths().count(),
            ROWS_PER_BLOCK,
            options.batchRows(),
            Math.min(MOST_BYTES, Runtime.getRuntime().maxMemory() / HEAP_PART));
  }

  private static void requireVocabulary(TokenBatch tokens, int dVocab) {
    for (int row = 0; row < tokens.rows(); row++) {
      for (int pos = 0; pos < tokens.length(row); pos++) {
        if (tokens.id(row, pos) >= dVocab) {
          throw new IllegalArgumentException(
              "token "
                  + tokens.id(row, pos)
                  + " at row "
                  + row
                  + ", position "
                  + pos
                  + " is outside the vocabulary of "
                  + dVocab
                  + "; was it encoded with another tokenizer?");
        }
      }
    }
  }

  /** Returns in a few words what will be computed and about how much memory that takes. */
  public String plan() {
    TokenBatch tokens = options.tokens();
    Gpt2Config config = gpt2.config();
    long inPool = Math.min(options.pool(), (long) tokens.tokenCount() - tokens.rows());
    return String.format(
        Locale.ROOT,
        "%,d rows (%,d tokens), %s of %d blocks, %d directions, %d lengths; memory: weights %s,"
            + " activations %s (%d rows and %d lengths at a time), pool of %,d activations %s in a"
            + " mapped file",
        tokens.rows(),
        tokens.tokenCount(),
        HookPoint.residPre(options.layer()),
        config.nLayers(),
        options.directions().size(),
        options.lengths().count(),
        mebibytes(config.parameters() * Float.BYTES),
        mebibytes(batches.bytes()),
        batches.rows(),
        batches.lengths(),
        inPool,
        mebibytes(inPool * config.dModel() * Float.BYTES));
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%,d MiB", Math.max(1, bytes >> 20));
  }

  /**
   * Computes what is missing in the folder and, unless this is one of several shards, writes the
   * results.
   *
   * @param folder where; created if it is missing
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @return the results; of a shard, none
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public SensitivityOutcome run(Path folder, Progress progress, Workers workers)
      throws IOException {
    RunRecord record =
        RunRecord.begin(COMMAND, settings(), facts(workers), options.shard().toString());
    try (RunFolder out = RunFolder.open(folder, record)) {
      StatisticsPass pass = new StatisticsPass(gpt2, data(), batches.rows(), out);
      pass.run(progress, workers);
      SweepPlan plan = plan(out.record(), options.shard());
      try (BlockLog log = BlockLog.open(out.work(LOG), plan)) {
        if (!complete(log, plan)) {
          if (!pass.hasPool()) {
            pass.restart();
            pass.run(progress, workers);
          }
          sweep(pass, plan, log, progress, workers);
        }
        SensitivityOutcome outcome =
            options.shard().count() > 1
                ? SensitivityOutcome.ofShard(folder)
                : SensitivityReport.write(out, pass.statistics(), log.values(), workers);
        out.finish(log.elapsedSeconds());
        pass.discardPool();
        return outcome;
      }
    }
  }

  private static boolean complete(BlockLog log, SweepPlan plan) {
    for (int block : plan.ownBlocks()) {
      if (!log.has(block)) {
        return false;
      }
    }
    return true;
  }

  private void sweep(
      StatisticsPass pass, SweepPlan plan, BlockLog log, Progress progress, Workers workers)
      throws IOException {
    double[] lengths = options.lengths().values(pass.statistics().meanDistance());
    try (Arena arena = Arena.ofShared()) {
      ActivationPool pool = pass.pool(arena);
      Gaussian gaussian = Gaussian.of(pass.covariance(), options.ridge());
      List<Direction> directions =
          options.directions().stream()
              .map(swept -> direction(swept, gaussian, pool, pass.statistics()))
              .toList();
      SensitivitySweep work =
          new SensitivitySweep(gpt2, options, directions, lengths, batches, workers);
      new SweepRunner(plan, "sweep", "continuations", directions.size() * lengths.length)
          .run(log, work, progress);
    }
  }

  private PointData data() {
    return new PointData(
        options.tokens(),
        HookPoint.residPre(options.layer()),
        options.seed(),
        options.pool(),
        options.saes());
  }

  private Direction direction(
      SweptDirection swept, Gaussian gaussian, ActivationPool pool, ActivationStatistics clean) {
    return switch (swept) {
      case SweptDirection.Baseline baseline -> baseline.kind().direction(gaussian, pool);
      case SweptDirection.OfSae of -> of.kind().direction(sae(of), clean.sae(of.sae()).alive());
    };
  }

  private NamedSae sae(SweptDirection.OfSae direction) {
    return options.saes().stream()
        .filter(sae -> sae.name().equals(direction.sae()))
        .findFirst()
        .orElseThrow();
  }

  /** Returns the plan of the blocks of a run, from what its record says. */
  static SweepPlan plan(RunRecord record, Shard shard) {
    Settings settings = record.settings();
    RowColumns columns =
        new RowColumns(
            settings.list("directions").size(), Lengths.parse(settings.text("lengths")).count());
    return new SweepPlan(
        Math.toIntExact(settings.whole("rows")),
        Math.toIntExact(settings.whole("rows_per_block")),
        columns.count(),
        shard,
        settings.toString());
  }

  private Settings settings() {
    TokenBatch tokens = options.tokens();
    return new Settings()
        .with("study", "sensitivity/2")
        .with("version", BuildInfo.current().version())
        .with("model_sha256", gpt2.sha256())
        .with("weights", gpt2.weightsState().name())
        .with("backend", gpt2.backend().name())
        .with("tokens_sha256", TokenDigest.sha256(tokens))
        .with("rows", tokens.rows())
        .with("tokens", tokens.tokenCount())
        .with("site", HookPoint.residPre(options.layer()).name())
        .with("l2_site", HookPoint.residPost(gpt2.config().nLayers() - 1).name())
        .with("directions", options.directions().stream().map(SweptDirection::name).toList())
        .with("saes", options.saes().stream().map(NamedSae::name).toList())
        .with("sae_families", options.saes().stream().map(NamedSae::family).toList())
        .with("sae_sha256", options.saes().stream().map(NamedSae::sha256).toList())
        .with("lengths", options.lengths().text())
        .with("seed", options.seed())
        .with("pool", options.pool())
        .with("ridge", options.ridge())
        .with("rows_per_block", ROWS_PER_BLOCK)
        .with("bootstrap_resamples", RESAMPLES);
  }

  private Settings facts(Workers workers) {
    Gpt2Config config = gpt2.config();
    return new Settings()
        .with("model", gpt2.source())
        .with("n_layers", config.nLayers())
        .with("d_model", config.dModel())
        .with("n_heads", config.nHeads())
        .with("d_vocab", config.dVocab())
        .with("parameters", config.parameters())
        .with("text", options.text())
        .with("longest_row", options.tokens().maxLength())
        .with("batch_rows", batches.rows())
        .with("batch_lengths", batches.lengths())
        .with("backend_description", gpt2.backend().description())
        .with("worker_threads", workers.threads())
        .with("java", Runtime.version().toString());
  }
}
