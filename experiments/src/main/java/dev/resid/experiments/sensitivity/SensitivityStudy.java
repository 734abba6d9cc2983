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
import dev.resid.experiments.study.Work.SaeWork;
import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.ShrinkingWork;
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
import java.util.ArrayList;
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
public final class SensitivityStudy implements Study {
  /** The command in records. */
  public static final String COMMAND = "sensitivity";

  private static final int ROWS_PER_BLOCK = 8;

  private final Gpt2 gpt2;
  private final SensitivityOptions options;
  private final MemoryPlan memory;
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
    gpt2.requireTokens(options.tokens());
    HookPoint perturbed = HookPoint.residPre(options.layer());
    options.saes().forEach(sae -> sae.requireReconstructs(gpt2, perturbed));
    this.memory = MemoryPlan.of(gpt2.backend());
    this.batches =
        BatchSizes.choose(
            config,
            options.tokens().maxLength(),
            options.lengths().count(),
            ROWS_PER_BLOCK,
            options.batchRows(),
            gpt2.cleanVectors(List.of(HookPoint.residPre(options.layer()))),
            memory);
  }

  @Override
  public String plan() {
    TokenBatch tokens = options.tokens();
    Gpt2Config config = gpt2.config();
    long inPool = Math.min(options.pool(), (long) tokens.tokenCount() - tokens.rows());
    return String.format(
        Locale.ROOT,
        "%,d rows (%,d tokens), %s of %d blocks, %d directions, %d lengths: %,d continuations and"
            + " %,d block evaluations; memory: weights %s, SAEs %s, activations %s (%d rows and %d"
            + " lengths at a time), pool of %,d activations %s in a mapped file%s",
        tokens.rows(),
        tokens.tokenCount(),
        HookPoint.residPre(options.layer()),
        config.nLayers(),
        options.directions().size(),
        options.lengths().count(),
        work().predictions(),
        work().blocks(),
        MemoryPlan.mebibytes(config.parameters() * Float.BYTES),
        MemoryPlan.mebibytes(NamedSae.bytes(options.saes())),
        MemoryPlan.mebibytes(batches.bytes()),
        batches.rows(),
        batches.lengths(),
        inPool,
        MemoryPlan.mebibytes(inPool * config.dModel() * Float.BYTES),
        memory.words(batches.cleanRun()));
  }

  @Override
  public String estimate(Shard shard) {
    return work().estimate(gpt2, shard);
  }

  private Work work() {
    long rows = options.tokens().rows();
    long continuations = rows * options.directions().size() * options.lengths().count();
    int layers = gpt2.config().nLayers();
    // The clean stream is read twice: for the pool and covariance, and for the sweep.
    return new Work(
        options.tokens().maxLength(),
        rows * (layers + options.layer()) + continuations * (layers - options.layer()),
        continuations,
        saeWork(rows));
  }

  /** Every SAE encodes the text for the statistics, then once for each of its directions. */
  private List<SaeWork> saeWork(long rows) {
    List<SaeWork> work = new ArrayList<>(SaeWork.each(options.saes(), rows));
    for (SweptDirection swept : options.directions()) {
      if (swept instanceof SweptDirection.OfSae of) {
        work.add(new SaeWork(sae(of).sae(), rows));
      }
    }
    return work;
  }

  @Override
  public RowStudy<StudyOutcome> rows(Workers workers) {
    int lengths = options.lengths().count();
    return new RowStudy<>(
        new StudyPlan(
            COMMAND,
            settings(),
            StudyRecord.facts(gpt2, workers)
                .with("text", options.text())
                .with("longest_row", options.tokens().maxLength())
                .with("batch_rows", batches.rows())
                .with("batch_lengths", batches.lengths()),
            options.tokens().rows(),
            ROWS_PER_BLOCK,
            new RowColumns(options.directions().size(), lengths).count(),
            "continuations",
            options.directions().size() * lengths),
        new Walks(workers),
        SensitivityReport::write);
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
        SensitivityReport::write,
        (record, parts, out) -> StatisticsPass.copy(parts, out));
  }

  /** One process's work: the walk for statistics and the pool, then the directions. */
  private final class Walks implements Steps {
    private final Workers workers;

    private Walks(Workers workers) {
      this.workers = workers;
    }

    private StatisticsPass pass(RunFolder out) {
      return new StatisticsPass(gpt2, data(), batches.rows(), out);
    }

    @Override
    public void compute(RunFolder out, Blocks blocks, Progress progress) throws IOException {
      StatisticsPass pass = pass(out);
      pass.run(progress, workers);
      if (!pass.hasPool()) {
        pass.restart();
        pass.run(progress, workers);
      }
      double[] lengths = options.lengths().values(pass.statistics().meanDistance());
      try (Arena arena = Arena.ofShared()) {
        ActivationPool pool = pass.pool(arena);
        Gaussian gaussian = Gaussian.of(pass.covariance(), options.ridge());
        List<Direction> directions =
            options.directions().stream()
                .map(swept -> direction(swept, gaussian, pool, pass.statistics()))
                .toList();
        blocks.run(
            new ShrinkingWork<>(
                batches,
                BatchSizes::smaller,
                sizes -> new SensitivitySweep(gpt2, options, directions, lengths, sizes, workers)));
      }
    }

    @Override
    public Settings notes(RunFolder out, Progress progress) {
      return new Settings();
    }

    @Override
    public void finished(RunFolder out) throws IOException {
      pass(out).discardPool();
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
      case SweptDirection.Own own -> own.direction();
      case SweptDirection.OfSae of -> of.kind().direction(sae(of), clean.sae(of.sae()).alive());
    };
  }

  private NamedSae sae(SweptDirection.OfSae direction) {
    return options.saes().stream()
        .filter(sae -> sae.name().equals(direction.sae()))
        .findFirst()
        .orElseThrow();
  }

  private Settings settings() {
    TokenBatch tokens = options.tokens();
    return StudyRecord.settings("sensitivity/3", gpt2, BuildInfo.current().version())
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
        .with("moved", options.moved().text())
        .with("seed", options.seed())
        .with("pool", options.pool())
        .with("ridge", options.ridge())
        .with("rows_per_block", ROWS_PER_BLOCK)
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}
