package dev.resid.experiments.robustness;

import dev.resid.experiments.activations.BatchSizes;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowMerge;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.RowStudy.Steps;
import dev.resid.experiments.study.Study;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPlan;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.study.Work;
import dev.resid.experiments.study.Work.SaeWork;
import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.ShrinkingWork;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.tokenizer.TokenBatch;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * How robust is the model against turning an activation by an angle, its norm held, and do SAE
 * reconstructions do more or less than random vectors at the same cosine?
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results.
 *
 * @source Riggs 2024, comments on dictionary learning: perturbation at a fixed cosine with norm
 *     about 0.9, random against SAE at equal cosine
 */
public final class RobustnessStudy implements Study {
  /** The command in records. */
  public static final String COMMAND = "robustness";

  private static final int ROWS_PER_BLOCK = 4;

  private final Gpt2 gpt2;
  private final RobustnessOptions options;
  private final RobustnessLayout sizes;
  private final MemoryPlan memory;
  private final BatchSizes batches;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @throws IllegalArgumentException if a point or an SAE does not belong to the model, or a row is
   *     longer than its context
   */
  public RobustnessStudy(Gpt2 gpt2, RobustnessOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
    gpt2.requireTokens(options.tokens());
    options.saes().forEach(sae -> sae.requireReconstructs(gpt2));
    for (HookPoint point : options.points()) {
      if (point.layer() >= gpt2.config().nLayers()) {
        throw new IllegalArgumentException(
            point + " is asked for, but the model has " + gpt2.config().nLayers() + " blocks");
      }
    }
    this.sizes =
        new RobustnessLayout(
            options.points(),
            options.cosines(),
            options.ratios(),
            options.saes().stream().map(NamedSae::name).toList());
    this.memory = MemoryPlan.of(gpt2.backend());
    this.batches =
        BatchSizes.choose(
            gpt2.config(),
            options.tokens().maxLength(),
            options.cosines().size() * options.ratios().size(),
            ROWS_PER_BLOCK,
            options.batchRows(),
            gpt2.cleanVectors(options.starts()),
            memory);
  }

  @Override
  public String plan() {
    Gpt2Config config = gpt2.config();
    TokenBatch tokens = options.tokens();
    return String.format(
        Locale.ROOT,
        "%,d rows (%,d tokens), %d points, %d cosines, %d norms, %d SAEs: %,d replacements and at"
            + " most %,d block evaluations a row; memory: weights %s, SAEs %s, activations %s (%d"
            + " replacements of %d rows at a time)%s",
        tokens.rows(),
        tokens.tokenCount(),
        options.points().size(),
        sizes.cosines().size(),
        sizes.ratios().size(),
        options.saes().size(),
        sizes.continuations(),
        work().blocks() / tokens.rows(),
        MemoryPlan.mebibytes(config.parameters() * Float.BYTES),
        MemoryPlan.mebibytes(NamedSae.bytes(options.saes())),
        MemoryPlan.mebibytes(batches.bytes()),
        batches.lengths(),
        batches.rows(),
        memory.words(batches.cleanRun()));
  }

  @Override
  public String estimate(Shard shard) {
    return work().estimate(gpt2, shard);
  }

  private Work work() {
    int layers = gpt2.config().nLayers();
    long blocks = layers;
    for (HookPoint point : options.starts()) {
      long copies =
          options.points().contains(point)
              ? (long) sizes.ratios().size() * sizes.cosines().size()
              : 0;
      copies +=
          (long) options.at(point).size() * (RobustnessLayout.AT_RATIO + sizes.ratios().size());
      blocks += copies * (layers - point.layer());
    }
    long rows = options.tokens().rows();
    return new Work(
        options.tokens().maxLength(),
        rows * blocks,
        rows * sizes.continuations(),
        SaeWork.each(options.saes(), rows));
  }

  @Override
  public RowStudy<StudyOutcome> rows(Workers workers) {
    return new RowStudy<>(
        new StudyPlan(
            COMMAND,
            settings(),
            StudyRecord.facts(gpt2, workers)
                .with("text", options.text())
                .with("longest_row", options.tokens().maxLength())
                .with("batch_rows", batches.rows()),
            options.tokens().rows(),
            ROWS_PER_BLOCK,
            sizes.rows().count(),
            "replacements",
            sizes.continuations()),
        Steps.of(
            new ShrinkingWork<>(
                batches,
                BatchSizes::smaller,
                some -> new RobustnessSweep(gpt2, options, sizes, some, workers)),
            Settings::new),
        RobustnessReport::write);
  }

  /**
   * Returns what puts the parts of a run together.
   *
   * @param shards output folders of all parts, in any order
   * @throws IllegalArgumentException if there are none
   */
  public static RowMerge<StudyOutcome> merge(List<Path> shards) {
    return new RowMerge<>(COMMAND, shards, RobustnessReport::write);
  }

  private Settings settings() {
    TokenBatch tokens = options.tokens();
    List<NamedSae> saes = options.saes();
    return StudyRecord.settings("robustness/1", gpt2, BuildInfo.current().version())
        .with("tokens_sha256", TokenDigest.sha256(tokens))
        .with("rows", tokens.rows())
        .with("tokens", tokens.tokenCount())
        .with("points", sizes.points().stream().map(HookPoint::name).toList())
        .with("cosines", numbers(sizes.cosines()))
        .with("ratios", numbers(sizes.ratios()))
        .with("saes", sizes.saes())
        .with("sae_families", saes.stream().map(NamedSae::family).toList())
        .with("sae_points", saes.stream().map(s -> s.sae().hookPoint().name()).toList())
        .with("sae_sha256", saes.stream().map(NamedSae::sha256).toList())
        .with("seed", options.seed())
        .with("rows_per_block", ROWS_PER_BLOCK)
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }

  private static double[] numbers(List<Double> list) {
    return list.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
