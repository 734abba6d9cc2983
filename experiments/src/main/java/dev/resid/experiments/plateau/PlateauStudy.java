package dev.resid.experiments.plateau;

import dev.resid.experiments.direction.Gaussian;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.SweepRunner;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.random.CounterRandom;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Moves the last token's residual stream of short prompts step by step towards other activations
 * and records how the final activation and the prediction change.
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results.
 *
 * @source Giglemiani, Petrova et al. 2024, "Evaluating Synthetic Activations composed of SAE
 *     Latents in GPT-2" (arXiv 2409.15019)
 */
public final class PlateauStudy {
  /** The command in records. */
  public static final String COMMAND = "plateau";

  /** The log of finished blocks. */
  static final String LOG = "prompts.log";

  /** The file of {@link PromptStatistics}. */
  static final String STATISTICS = "statistics.bin";

  /** Resamples of the prompts for intervals. */
  static final int RESAMPLES = 1000;

  private static final int PROMPTS_PER_BLOCK = 8;

  private final Gpt2 gpt2;
  private final PlateauOptions options;
  private final List<Curve> curves;
  private final PlateauCost cost;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @throws IllegalArgumentException if the model has no such layer or token, its context is too
   *     short, or the SAE was not made for the activation that is moved
   */
  public PlateauStudy(Gpt2 gpt2, PlateauOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
    Gpt2Config config = gpt2.config();
    if (options.layer() < 0 || options.layer() >= config.nLayers()) {
      throw new IllegalArgumentException(
          "layer is " + options.layer() + ", the model's are 0 to " + (config.nLayers() - 1));
    }
    gpt2.requireTokens(options.tokens());
    HookPoint moved = HookPoint.residPre(options.layer());
    options.sae().ifPresent(sae -> sae.named().requireReconstructs(gpt2, moved));
    this.curves = Curve.all(options.targets(), options.regimes(), options.bases());
    this.cost = PlateauCost.of(config, options, curves, PROMPTS_PER_BLOCK);
  }

  /**
   * Returns in a few words what will be computed, how many block evaluations and bytes it takes.
   */
  public String plan() {
    return cost.words(gpt2.config(), options);
  }

  /**
   * Returns about how many seconds the ways of this shard take, measured on one prompt's way.
   *
   * @return seconds of computation; reading the model and writing the report come on top
   */
  public double estimateSeconds() {
    return cost.estimateSeconds(gpt2, options);
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
  public PlateauOutcome run(Path folder, Progress progress, Workers workers) throws IOException {
    RunRecord record =
        RunRecord.begin(COMMAND, settings(), facts(workers), options.shard().toString());
    try (RunFolder out = RunFolder.open(folder, record)) {
      PromptPass pass = new PromptPass(gpt2, options, out);
      SweepPlan plan = plan(out.record(), options.shard());
      try (BlockLog log = BlockLog.open(out.work(LOG), plan)) {
        Path statisticsFile = out.work(STATISTICS);
        if (!Files.exists(statisticsFile) || !complete(log, plan)) {
          PromptPass.Found found = pass.run(progress, workers);
          found.statistics().write(statisticsFile);
          sweep(found, plan, log, progress);
        }
        PlateauOutcome outcome =
            options.shard().count() > 1
                ? PlateauOutcome.ofShard(folder)
                : PlateauReport.write(
                    out, PromptStatistics.read(statisticsFile), log.values(), workers);
        out.finish(log.elapsedSeconds());
        pass.discard();
        return outcome;
      }
    }
  }

  private static boolean complete(BlockLog log, SweepPlan plan) {
    return Arrays.stream(plan.ownBlocks()).allMatch(log::has);
  }

  private void sweep(PromptPass.Found found, SweepPlan plan, BlockLog log, Progress progress)
      throws IOException {
    Scale.Values scale = options.scale().values(found.statistics());
    Optional<SyntheticActivations> synthetic =
        options
            .sae()
            .map(
                sae ->
                    new SyntheticActivations(
                        sae.named().sae(),
                        FeatureTable.of(sae, found.activations()),
                        scale,
                        found.statistics().meanDistance(),
                        options.seed()));
    Generator generator =
        new Generator(
            options.tokens(),
            found.activations(),
            Gaussian.ofSample(found.covariance()),
            synthetic,
            options.seed());
    PlateauSweep work =
        new PlateauSweep(
            gpt2,
            options,
            order(),
            generator,
            new CurveColumns(curves),
            scale.step(),
            cost.batch());
    new SweepRunner(plan, "plateaus", "ways", curves.size()).run(log, work, progress);
  }

  /** Returns which prompts are moved, by number in the run. */
  private int[] order() {
    CounterRandom random = new CounterRandom(options.seed());
    int[] order =
        random.permutation(options.tokens().rows(), DrawKeys.PLATEAU_PROMPTS.stream(0), 0);
    return Arrays.copyOf(order, options.prompts());
  }

  /** Returns the plan of the blocks of a run, from what its record says. */
  static SweepPlan plan(RunRecord record, Shard shard) {
    Settings settings = record.settings();
    return new SweepPlan(
        Math.toIntExact(settings.whole("prompts")),
        Math.toIntExact(settings.whole("prompts_per_block")),
        new CurveColumns(Curve.of(record)).count(),
        shard,
        settings.toString());
  }

  private Settings settings() {
    return new Settings()
        .with("study", "plateau/1")
        .with("version", BuildInfo.current().version())
        .with("model_sha256", gpt2.sha256())
        .with("weights", gpt2.weightsState().name())
        .with("backend", gpt2.backend().name())
        .with("tokens_sha256", TokenDigest.sha256(options.tokens()))
        .with("pool", options.tokens().rows())
        .with("prompt_length", options.tokens().maxLength())
        .with("prompts", options.prompts())
        .with("site", HookPoint.residPre(options.layer()).name())
        .with("l2_site", HookPoint.residPost(gpt2.config().nLayers() - 1).name())
        .with("targets", options.targets().stream().map(TargetKind::word).toList())
        .with("bases", options.bases().stream().map(TargetKind::word).toList())
        .with("real_base", options.realBase().name().toLowerCase(java.util.Locale.ROOT))
        .with("sae", options.sae().map(sae -> sae.named().name()).orElse(""))
        .with("sae_sha256", options.sae().map(sae -> sae.named().sha256()).orElse(""))
        .with("densities", options.sae().map(PlateauSae::densitySource).orElse(""))
        .with("regimes", options.regimes().stream().map(Regime::word).toList())
        .with("scale", options.scale().text())
        .with("seed", options.seed())
        .with("prompts_per_block", PROMPTS_PER_BLOCK)
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
        .with("batch_prompts", cost.batch())
        .with("backend_description", gpt2.backend().description())
        .with("worker_threads", workers.threads())
        .with("java", Runtime.version().toString());
  }
}
