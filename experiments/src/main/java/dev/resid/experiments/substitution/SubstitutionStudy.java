package dev.resid.experiments.substitution;

import dev.resid.experiments.activations.ActivationStatistics;
import dev.resid.experiments.activations.BatchSizes;
import dev.resid.experiments.activations.PointData;
import dev.resid.experiments.activations.StatisticsPass;
import dev.resid.experiments.direction.NamedSae;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What replaces an activation, at equal distance: is an SAE's reconstruction error worse for the
 * prediction than a random change of the same length?
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results.
 *
 * @source Lee and Heimersheim 2024, "Investigating Sensitive Directions in GPT-2" (arXiv
 *     2410.12555), section 4.1, figure 2
 */
public final class SubstitutionStudy {
  /** The command in records. */
  public static final String COMMAND = "substitution";

  /** The log of finished blocks. */
  static final String LOG = "rows.log";

  static final int RESAMPLES = 1000;

  private static final int ROWS_PER_BLOCK = 8;
  private static final long MOST_BYTES = 768L << 20;
  private static final int HEAP_PART = 8;

  private final Gpt2 gpt2;
  private final SubstitutionOptions options;
  private final BatchSizes batches;
  private final Cases cases;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @throws IllegalArgumentException if an SAE does not belong to the model, or a row is longer
   *     than its context
   */
  public SubstitutionStudy(Gpt2 gpt2, SubstitutionOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
    gpt2.requireTokens(options.tokens());
    options.saes().forEach(sae -> sae.requireReconstructs(gpt2));
    this.batches =
        BatchSizes.choose(
            gpt2.config(),
            options.tokens().maxLength(),
            1,
            ROWS_PER_BLOCK,
            options.batchRows(),
            Math.min(MOST_BYTES, Runtime.getRuntime().maxMemory() / HEAP_PART));
    this.cases =
        Cases.of(
            options.saes().stream().map(NamedSae::name).toList(),
            options.points().stream().map(HookPoint::name).toList(),
            options.substitutes());
  }

  /** Returns in a few words what will be computed and about how much memory that takes. */
  public String plan() {
    TokenBatch tokens = options.tokens();
    Gpt2Config config = gpt2.config();
    long blocks = 0;
    for (HookPoint point : options.points()) {
      long continued = config.nLayers() - point.layer();
      long here =
          (long) options.at(point).size()
              * options.substitutes().stream().filter(Substitute::needsSae).count();
      here += options.substitutes().stream().filter(s -> !s.needsSae()).count();
      blocks += config.nLayers() + here * continued;
    }
    long inPool = Math.min(options.pool(), (long) tokens.tokenCount() - tokens.rows());
    return String.format(
        Locale.ROOT,
        "%,d rows (%,d tokens), %d SAEs at %d points, %d replacements, %,d block evaluations a row;"
            + " memory: weights %s, activations %s (%d rows at a time), pools of %,d activations %s"
            + " in mapped files",
        tokens.rows(),
        tokens.tokenCount(),
        options.saes().size(),
        options.points().size(),
        cases.all().size(),
        blocks,
        mebibytes(config.parameters() * Float.BYTES),
        mebibytes(batches.bytes()),
        batches.rows(),
        inPool,
        mebibytes(options.points().size() * inPool * config.dModel() * Float.BYTES));
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
  public SubstitutionOutcome run(Path folder, Progress progress, Workers workers)
      throws IOException {
    RunRecord record =
        RunRecord.begin(COMMAND, settings(), facts(workers), options.shard().toString());
    try (RunFolder out = RunFolder.open(folder, record)) {
      Map<HookPoint, StatisticsPass> passes = new LinkedHashMap<>();
      Map<String, ActivationStatistics> statistics = new LinkedHashMap<>();
      for (HookPoint point : options.points()) {
        StatisticsPass pass =
            new StatisticsPass(gpt2, data(point), batches.rows(), out, prefix(point.name()));
        pass.run(progress, workers);
        passes.put(point, pass);
        statistics.put(point.name(), pass.statistics());
      }
      SweepPlan plan = plan(out.record(), options.shard());
      try (BlockLog log = BlockLog.open(out.work(LOG), plan)) {
        if (!complete(log, plan)) {
          sweep(passes, plan, log, progress, workers);
        }
        SubstitutionOutcome outcome =
            options.shard().count() > 1
                ? SubstitutionOutcome.ofShard(folder)
                : SubstitutionReport.write(out, statistics, log.values(), workers);
        out.finish(log.elapsedSeconds());
        for (StatisticsPass pass : passes.values()) {
          pass.discardPool();
        }
        return outcome;
      }
    }
  }

  /** Returns what the files of a point's walk begin with. */
  static String prefix(String point) {
    return point + "-";
  }

  private PointData data(HookPoint point) {
    return new PointData(
        options.tokens(), point, options.seed(), options.pool(), options.at(point));
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
      Map<HookPoint, StatisticsPass> passes,
      SweepPlan plan,
      BlockLog log,
      Progress progress,
      Workers workers)
      throws IOException {
    try (Arena arena = Arena.ofShared()) {
      Map<HookPoint, Replacements> replacements = new LinkedHashMap<>();
      for (Map.Entry<HookPoint, StatisticsPass> entry : passes.entrySet()) {
        StatisticsPass pass = entry.getValue();
        if (!pass.hasPool()) {
          pass.restart();
          pass.run(progress, workers);
        }
        replacements.put(entry.getKey(), Replacements.of(pass, options, arena, workers));
      }
      SubstitutionSweep work =
          new SubstitutionSweep(gpt2, options, cases, replacements, batches.rows());
      new SweepRunner(plan, "substitution", "continuations", SubstitutionSweep.continuations(cases))
          .run(log, work, progress);
    }
  }

  /** Returns the cases of a run, from what its record says. */
  static Cases cases(Settings settings) {
    return Cases.of(
        settings.list("saes"),
        settings.list("points"),
        settings.list("substitutes").stream().map(Substitute::of).toList());
  }

  /** Returns the plan of the blocks of a run, from what its record says. */
  static SweepPlan plan(RunRecord record, Shard shard) {
    Settings settings = record.settings();
    return new SweepPlan(
        Math.toIntExact(settings.whole("rows")),
        Math.toIntExact(settings.whole("rows_per_block")),
        cases(settings).count(),
        shard,
        settings.toString());
  }

  private Settings settings() {
    TokenBatch tokens = options.tokens();
    List<NamedSae> saes = options.saes();
    return new Settings()
        .with("study", "substitution/1")
        .with("version", BuildInfo.current().version())
        .with("model_sha256", gpt2.sha256())
        .with("weights", gpt2.weightsState().name())
        .with("backend", gpt2.backend().name())
        .with("tokens_sha256", TokenDigest.sha256(tokens))
        .with("rows", tokens.rows())
        .with("tokens", tokens.tokenCount())
        .with("points", options.points().stream().map(HookPoint::name).toList())
        .with("l2_site", HookPoint.residPost(gpt2.config().nLayers() - 1).name())
        .with("saes", saes.stream().map(NamedSae::name).toList())
        .with("sae_families", saes.stream().map(NamedSae::family).toList())
        .with("sae_points", saes.stream().map(s -> s.sae().hookPoint().name()).toList())
        .with("sae_sha256", saes.stream().map(NamedSae::sha256).toList())
        .with("substitutes", options.substitutes().stream().map(Substitute::word).toList())
        .with("position", options.position())
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
        .with("parameters", config.parameters())
        .with("text", options.text())
        .with("longest_row", options.tokens().maxLength())
        .with("batch_rows", batches.rows())
        .with("backend_description", gpt2.backend().description())
        .with("worker_threads", workers.threads())
        .with("java", Runtime.version().toString());
  }
}
