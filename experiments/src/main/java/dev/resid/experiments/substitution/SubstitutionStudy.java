package dev.resid.experiments.substitution;

import dev.resid.experiments.activations.BatchSizes;
import dev.resid.experiments.activations.PointData;
import dev.resid.experiments.activations.StatisticsPass;
import dev.resid.experiments.direction.NamedSae;
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
import dev.resid.hook.Site;
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
public final class SubstitutionStudy implements Study {
  /** The command in records. */
  public static final String COMMAND = "substitution";

  private static final int ROWS_PER_BLOCK = 8;

  private final Gpt2 gpt2;
  private final SubstitutionOptions options;
  private final MemoryPlan memory;
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
    options.ablated().forEach(point -> requireResidual(gpt2, point));
    this.memory = MemoryPlan.of(gpt2.backend());
    this.batches =
        BatchSizes.choose(
            gpt2.config(),
            options.tokens().maxLength(),
            1,
            ROWS_PER_BLOCK,
            options.batchRows(),
            cleanVectors(),
            memory);
    this.cases =
        Cases.of(
            options.saes().stream().map(NamedSae::name).toList(),
            options.points().stream().map(HookPoint::name).toList(),
            options.substitutes(),
            options.readouts(),
            options.alone());
  }

  private int cleanVectors() {
    int everywhere = gpt2.cleanVectors(options.points());
    return options.alone().isEmpty() ? everywhere : everywhere + gpt2.keyVectors(options.points());
  }

  private static void requireResidual(Gpt2 gpt2, HookPoint point) {
    boolean there = point.layer() >= 0 && point.layer() < gpt2.config().nLayers();
    if (point.site() != Site.RESID_PRE || !there) {
      throw new IllegalArgumentException(
          point
              + " cannot be ablated here: activations are those of the residual stream, "
              + HookPoint.residPre(0)
              + " to "
              + HookPoint.residPre(gpt2.config().nLayers() - 1));
    }
  }

  @Override
  public String plan() {
    TokenBatch tokens = options.tokens();
    Gpt2Config config = gpt2.config();
    long inPool = Math.min(options.pool(), (long) tokens.tokenCount() - tokens.rows());
    return String.format(
        Locale.ROOT,
        "%,d rows (%,d tokens), %d SAEs at %d points, %d replacements, %,d block evaluations a row;"
            + " memory: weights %s, SAEs %s, activations %s (%d rows at a time), pools of %,d"
            + " activations %s in mapped files%s",
        tokens.rows(),
        tokens.tokenCount(),
        options.saes().size(),
        options.points().size(),
        cases.all().size(),
        work().blocks() / tokens.rows(),
        MemoryPlan.mebibytes(config.parameters() * Float.BYTES),
        MemoryPlan.mebibytes(NamedSae.bytes(options.saes())),
        MemoryPlan.mebibytes(batches.bytes()),
        batches.rows(),
        inPool,
        MemoryPlan.mebibytes(options.points().size() * inPool * config.dModel() * Float.BYTES),
        memory.words(batches.cleanRun()));
  }

  @Override
  public String estimate(Shard shard) {
    return work().estimate(gpt2, shard);
  }

  private Work work() {
    int layers = gpt2.config().nLayers();
    long blocks = layers;
    long predictions = 0;
    for (HookPoint point : options.points()) {
      long here =
          (long) options.at(point).size()
              * options.substitutes().stream().filter(Substitute::needsSae).count();
      here += options.substitutes().stream().filter(s -> !s.needsSae()).count();
      blocks += here * (layers - point.layer());
      predictions += here;
    }
    int rows = options.tokens().rows();
    return new Work(
        options.tokens().maxLength(),
        rows * blocks,
        rows * predictions,
        SaeWork.each(options.saes(), 2L * rows)); // once for the statistics of its point
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
            cases.count(),
            "continuations",
            SubstitutionSweep.continuations(cases)),
        new Walks(workers),
        SubstitutionReport::write);
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
        SubstitutionReport::write,
        (record, parts, out) -> {
          for (String point : record.settings().list("points")) {
            StatisticsPass.copy(parts, out, prefix(point));
          }
        });
  }

  /** One process's work: a walk for statistics and a pool at every point, then the rows. */
  private final class Walks implements Steps {
    private final Workers workers;

    private Walks(Workers workers) {
      this.workers = workers;
    }

    private StatisticsPass pass(HookPoint point, RunFolder out) {
      return new StatisticsPass(gpt2, data(point), batches.rows(), out, prefix(point.name()));
    }

    @Override
    public void compute(RunFolder out, Blocks blocks, Progress progress) throws IOException {
      try (Arena arena = Arena.ofShared()) {
        Map<HookPoint, Replacements> replacements = new LinkedHashMap<>();
        for (HookPoint point : options.points()) {
          StatisticsPass pass = pass(point, out);
          pass.run(progress, workers);
          if (!pass.hasPool()) {
            pass.restart();
            pass.run(progress, workers);
          }
          replacements.put(point, Replacements.of(pass, options, arena, workers));
        }
        blocks.run(
            new ShrinkingWork<>(
                batches,
                BatchSizes::smaller,
                some -> new SubstitutionSweep(gpt2, options, cases, replacements, some.rows())));
      }
    }

    @Override
    public Settings notes(RunFolder out, Progress progress) {
      return new Settings();
    }

    @Override
    public void finished(RunFolder out) throws IOException {
      for (HookPoint point : options.points()) {
        pass(point, out).discardPool();
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

  /** Returns the cases of a run, from what its record says. */
  static Cases cases(Settings settings) {
    return Cases.of(
        settings.list("saes"),
        settings.list("points"),
        settings.list("substitutes").stream().map(Substitute::of).toList(),
        settings.list("readouts").stream().map(Readout::of).toList(),
        settings.list("alone").stream().map(Substitute::of).toList());
  }

  private Settings settings() {
    TokenBatch tokens = options.tokens();
    List<NamedSae> saes = options.saes();
    return StudyRecord.settings("substitution/3", gpt2, BuildInfo.current().version())
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
        .with("readouts", options.readouts().stream().map(Readout::word).toList())
        .with("alone", options.alone().stream().map(Substitute::word).toList())
        .with("position", options.position())
        .with("seed", options.seed())
        .with("pool", options.pool())
        .with("ridge", options.ridge())
        .with("rows_per_block", ROWS_PER_BLOCK)
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}
