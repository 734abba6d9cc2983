package dev.resid.experiments.plateau;

import dev.resid.experiments.direction.Gaussian;
import dev.resid.experiments.plateau.PlateauVariants.FeatureValue;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowMerge;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.RowStudy.Blocks;
import dev.resid.experiments.study.RowStudy.Steps;
import dev.resid.experiments.study.Study;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPlan;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.study.Work;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.ShrinkingWork;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.random.CounterRandom;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
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
public final class PlateauStudy implements Study {
  /** The command in records. */
  public static final String COMMAND = "plateau";

  /** The file of {@link PromptStatistics}. */
  static final String STATISTICS = "statistics.bin";

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
    this.cost =
        PlateauCost.of(
            config,
            options,
            curves,
            PROMPTS_PER_BLOCK,
            MemoryPlan.of(gpt2.backend(), PlateauCost.MOST_BYTES));
  }

  @Override
  public String plan() {
    return cost.words(gpt2.config(), options);
  }

  /** Returns about how long the ways of a part take, measured on one prompt's way. */
  @Override
  public String estimate(Shard shard) {
    double seconds = cost.estimateSeconds(gpt2, options) / shard.count();
    return "; about " + Work.words(seconds);
  }

  @Override
  public RowStudy<StudyOutcome> rows(Workers workers) {
    return new RowStudy<>(
        new StudyPlan(
            COMMAND,
            settings(),
            StudyRecord.facts(gpt2, workers)
                .with("text", options.text())
                .with("batch_prompts", cost.batch()),
            options.prompts(),
            PROMPTS_PER_BLOCK,
            columns().count(),
            "ways",
            curves.size()),
        new Walks(workers),
        PlateauReport::write);
  }

  /**
   * Returns what puts the parts of a run together.
   *
   * @param shards output folders of all parts, in any order
   * @throws IllegalArgumentException if there are none
   */
  public static RowMerge<StudyOutcome> merge(List<Path> shards) {
    return new RowMerge<>(
        COMMAND,
        shards,
        PlateauReport::write,
        (record, parts, out) -> PromptStatistics.copy(parts, out));
  }

  /** One process's work: a walk over all prompts, then the ways. */
  private final class Walks implements Steps {
    private final Workers workers;

    private Walks(Workers workers) {
      this.workers = workers;
    }

    @Override
    public void compute(RunFolder out, Blocks blocks, Progress progress) throws IOException {
      PromptPass.Found found = new PromptPass(gpt2, options, out).run(progress, workers);
      PromptStatistics statistics = withFeatureNorm(found);
      statistics.write(out.work(STATISTICS));
      blocks.run(work(found, statistics));
    }

    @Override
    public Settings notes(RunFolder out, Progress progress) {
      return new Settings();
    }

    @Override
    public void finished(RunFolder out) throws IOException {
      new PromptPass(gpt2, options, out).discard();
    }
  }

  private CurveColumns columns() {
    return new CurveColumns(curves, options.variants().statistics());
  }

  private PromptStatistics withFeatureNorm(PromptPass.Found found) {
    return options.variants().featureValue() == FeatureValue.SCALE
        ? found.statistics()
        : found
            .statistics()
            .withFeatureNorm(
                FeatureTable.meanFeatureNorm(
                    options.sae().orElseThrow().named().sae(), found.activations()));
  }

  private BlockWork work(PromptPass.Found found, PromptStatistics statistics) {
    Scale.Values scale = options.variants().values(options.scale(), statistics);
    Optional<SyntheticActivations> synthetic =
        options
            .sae()
            .map(
                sae ->
                    new SyntheticActivations(
                        sae.named().sae(),
                        FeatureTable.of(sae, found.activations()),
                        scale,
                        statistics.meanDistance(),
                        options.variants(),
                        options.seed()));
    Generator generator =
        new Generator(
            options.tokens(),
            found.activations(),
            Gaussian.ofSample(found.covariance()),
            synthetic,
            options.seed());
    int[] order = order();
    return new ShrinkingWork<>(
        cost.batch(),
        batch -> batch > 1 ? Optional.of((batch + 1) / 2) : Optional.empty(),
        batch -> new PlateauSweep(gpt2, options, order, generator, columns(), scale.step(), batch));
  }

  /** Returns which prompts are moved, by number in the run. */
  private int[] order() {
    CounterRandom random = new CounterRandom(options.seed());
    int[] order =
        random.permutation(options.tokens().rows(), DrawKeys.PLATEAU_PROMPTS.stream(0), 0);
    return Arrays.copyOf(order, options.prompts());
  }

  private Settings settings() {
    Settings common = StudyRecord.settings("plateau/2", gpt2, BuildInfo.current().version());
    return options
        .variants()
        .in(common)
        .with("tokens_sha256", TokenDigest.sha256(options.tokens()))
        .with("pool", options.tokens().rows())
        .with("prompt_length", options.tokens().maxLength())
        .with("prompts", options.prompts())
        .with("site", HookPoint.residPre(options.layer()).name())
        .with("l2_site", HookPoint.residPost(gpt2.config().nLayers() - 1).name())
        .with("targets", options.targets().stream().map(TargetKind::word).toList())
        .with("bases", options.bases().stream().map(TargetKind::word).toList())
        .with("real_base", options.realBase().name().toLowerCase(Locale.ROOT))
        .with("sae", options.sae().map(sae -> sae.named().name()).orElse(""))
        .with("sae_sha256", options.sae().map(sae -> sae.named().sha256()).orElse(""))
        .with("densities", options.sae().map(PlateauSae::densitySource).orElse(""))
        .with("regimes", options.regimes().stream().map(Regime::word).toList())
        .with("scale", options.scale().text())
        .with("seed", options.seed())
        .with("prompts_per_block", PROMPTS_PER_BLOCK)
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}
