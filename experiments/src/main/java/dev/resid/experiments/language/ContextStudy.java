package dev.resid.experiments.language;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.RowMerge;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.RowStudy.Steps;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.study.Study;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPlan;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.study.Work;
import dev.resid.experiments.study.Work.SaeWork;
import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.hook.ActivationCache;
import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.BaseRun;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * How good an SAE is at each position of the context: L0, L1, squared error and norm, and what its
 * reconstruction at all positions does to the cross-entropy.
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results.
 *
 * @source Anders and Bloom 2024, "Examining Language Model Performance with Reconstructed
 *     Activations using Sparse Autoencoders", the context-length figures
 */
public final class ContextStudy implements Study {
  /** The command in records. */
  public static final String COMMAND = "language context";

  static final String CE = "ce";
  static final String SAE_CE = "sae_ce";
  static final String QUALITY = "quality";

  /** What {@link SaeQuality#fits} has. */
  static final String FIT = "fit";

  static final String NORM = "norm";
  private static final int ROWS_PER_BLOCK = 2;

  private final Gpt2 gpt2;
  private final ContextOptions options;
  private final ContextSizes sizes;
  private final RowLayout layout;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @throws IllegalArgumentException if a row has tokens or a length that the model lacks, an SAE
   *     does not reconstruct an activation of the model, or the model lacks one of the activations
   */
  public ContextStudy(Gpt2 gpt2, ContextOptions options) {
    gpt2.requireTokens(options.tokens());
    options.saes().forEach(sae -> sae.requireReconstructs(gpt2));
    this.gpt2 = gpt2;
    this.options = options;
    this.sizes = ContextSizes.of(options);
    this.layout = sizes.layout();
    List<HookPoint> points = HookPoint.all(gpt2.config().nLayers());
    for (HookPoint point : options.points()) {
      if (!points.contains(point)
          || point.site() == Site.ATTN_SCORES
          || point.site() == Site.PATTERN) {
        throw new IllegalArgumentException(
            point
                + " is no vector by position in a model of "
                + gpt2.config().nLayers()
                + " blocks");
      }
    }
  }

  /** Returns where the numbers of a row stand. */
  static RowLayout layout(ContextOptions options) {
    return ContextSizes.of(options).layout();
  }

  @Override
  public String plan() {
    int rows = options.tokens().rows();
    return String.format(
        Locale.ROOT,
        "%,d rows of %d tokens, %d SAEs, about %,d evaluations of a block; memory: weights %s,"
            + " SAEs %s, numbers %s",
        rows,
        options.tokens().maxLength(),
        options.saes().size(),
        work().blocks(),
        MemoryPlan.mebibytes(gpt2.config().parameters() * Float.BYTES),
        MemoryPlan.mebibytes(NamedSae.bytes(options.saes())),
        MemoryPlan.mebibytes((long) rows * layout.count() * Double.BYTES));
  }

  @Override
  public String estimate(Shard shard) {
    return work().estimate(gpt2, shard);
  }

  private Work work() {
    int layers = gpt2.config().nLayers();
    long blocks =
        (long) layers
            + (others().isEmpty() ? 0 : layers)
            + options.saes().stream()
                .mapToLong(sae -> layers - Math.max(0, sae.sae().hookPoint().layer()))
                .sum();
    long rows = options.tokens().rows();
    return new Work(
        options.tokens().maxLength(),
        rows * blocks,
        rows * (1 + options.saes().size()),
        SaeWork.each(options.saes(), rows));
  }

  @Override
  public RowStudy<StudyOutcome> rows(Workers workers) {
    return new RowStudy<>(
        new StudyPlan(
            COMMAND,
            settings(),
            StudyRecord.facts(gpt2, workers).with("data", options.data()),
            options.tokens().rows(),
            ROWS_PER_BLOCK,
            layout.count(),
            "runs",
            Math.max(1, options.saes().size())),
        Steps.of(this::compute, () -> SaeFacts.notes(options.saes())),
        ContextReport::write);
  }

  /**
   * Returns what puts the parts of a run together.
   *
   * @param shards output folders of all parts, in any order
   * @throws IllegalArgumentException if there are none
   */
  public static RowMerge<StudyOutcome> merge(List<Path> shards) {
    return new RowMerge<>(COMMAND, shards, ContextReport::write);
  }

  /** Returns the numbers of some rows. */
  double[][] compute(RowRange rows, IntConsumer progress) {
    double[][] values = new double[rows.size()][layout.count()];
    Map<HookPoint, List<Integer>> saesAt = saesAt();
    HookPoint[] others = others().toArray(HookPoint[]::new);
    int done = 0;
    for (int i = 0; i < values.length; i++) {
      TokenBatch row = options.tokens().slice(rows.from() + i, rows.from() + i + 1);
      clean(values[i], row, others);
      Map<HookPoint, BaseRun> runs =
          saesAt.isEmpty() ? Map.of() : gpt2.baseRuns(row, List.copyOf(saesAt.keySet()));
      for (Map.Entry<HookPoint, List<Integer>> at : saesAt.entrySet()) {
        try (BaseRun base = runs.get(at.getKey())) {
          if (at.getKey().equals(runs.keySet().iterator().next())) {
            crossEntropies(values[i], base.crossEntropyNats());
          }
          for (int s : at.getValue()) {
            replaced(values[i], base, s);
            done++;
            progress.accept(done);
          }
        }
      }
      if (saesAt.isEmpty()) {
        crossEntropies(values[i], gpt2.crossEntropyNats(row));
        progress.accept(i + 1);
      }
    }
    return values;
  }

  private Map<HookPoint, List<Integer>> saesAt() {
    Map<HookPoint, List<Integer>> saesAt = new LinkedHashMap<>();
    for (int s = 0; s < options.saes().size(); s++) {
      HookPoint point = options.saes().get(s).sae().hookPoint();
      saesAt.computeIfAbsent(point, p -> new ArrayList<>()).add(s);
    }
    return saesAt;
  }

  /** Returns the points that no SAE reads. */
  private List<HookPoint> others() {
    return sizes.allPoints().stream().filter(point -> !saesAt().containsKey(point)).toList();
  }

  private void clean(double[] values, TokenBatch row, HookPoint... points) {
    if (points.length == 0) {
      return;
    }
    Hook[] hooks = Arrays.stream(points).map(HookPoint::capture).toArray(Hook[]::new);
    ActivationCache cache = gpt2.capture(row, hooks);
    int positions = row.maxLength();
    for (HookPoint point : points) {
      float[] x = cache.get(point).toArray();
      int width = x.length / positions;
      for (int pos = 0; pos < positions; pos++) {
        double squares = 0;
        for (int c = pos * width; c < (pos + 1) * width; c++) {
          squares += (double) x[c] * x[c];
        }
        values[layout.index(NORM, sizes.allPoints().indexOf(point), pos)] = Math.sqrt(squares);
      }
    }
  }

  private void crossEntropies(double[] values, PositionValues nats) {
    for (int pos = 0; pos < nats.length(0); pos++) {
      values[layout.index(CE, pos)] = nats.get(0, pos);
    }
  }

  private void replaced(double[] values, BaseRun base, int s) {
    NamedSae named = options.saes().get(s);
    int positions = base.tokens().maxLength();
    int point = sizes.allPoints().indexOf(named.sae().hookPoint());
    Tensor clean = base.activation();
    SaeQuality quality = SaeQuality.of(named.sae(), clean, positions);
    PositionValues after =
        base.continueWith(Tensor.wrap(clean.shape(), quality.reconstruction())).crossEntropyNats();
    for (int pos = 0; pos < positions; pos++) {
      if (pos < positions - 1) {
        values[layout.index(SAE_CE, s, pos)] = after.get(0, pos);
      }
      for (int q = 0; q < ClozeLayout.QUANTITIES; q++) {
        values[layout.index(QUALITY, s, q, pos)] = quality.values()[pos][q];
      }
      for (int q = 0; q < SaeQuality.FITS; q++) {
        values[layout.index(FIT, s, q, pos)] = quality.fits()[pos][q];
      }
      values[layout.index(NORM, point, pos)] = quality.values()[pos][ClozeLayout.NORM];
    }
  }

  private Settings settings() {
    return StudyRecord.settings("language-context/2", gpt2, BuildInfo.current().version())
        .with("tokens_sha256", TokenDigest.sha256(options.tokens()))
        .with("rows", options.tokens().rows())
        .with("positions", options.tokens().maxLength())
        .with("saes", options.saes().stream().map(NamedSae::name).toList())
        .with("saes_sha256", options.saes().stream().map(NamedSae::sha256).toList())
        .with(
            "sae_points", options.saes().stream().map(sae -> sae.sae().hookPoint().name()).toList())
        .with("norms", options.points().stream().map(HookPoint::name).toList())
        .with("ranges", options.ranges().stream().map(PositionRange::toString).toList())
        .with("seed", options.seed())
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}
