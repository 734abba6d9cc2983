package dev.resid.experiments.language;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.Settings;
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
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.metric.LogSoftmax;
import dev.resid.model.BaseRun;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * Mean effect and score of every feature: what the SAE's reconstruction does to the answer's
 * log-probability in the prompts in which the feature is active.
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results.
 *
 * @source Anders and Bloom 2024, "Examining Language Model Performance with Reconstructed
 *     Activations using Sparse Autoencoders", the histograms of features
 */
public final class FeatureEffectStudy implements Study {
  /** The command in records. */
  public static final String COMMAND = "language features";

  private static final int ROWS_PER_BLOCK = 8;
  private static final HookPoint NORMALIZED = HookPoint.at(Site.LN_FINAL_NORMALIZED);

  private final Gpt2 gpt2;
  private final FeatureEffectOptions options;
  private final ClozeOptions cloze;
  private final FeatureEffectLayout layout;
  private final Map<HookPoint, List<Integer>> saesAt = new LinkedHashMap<>();

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @throws IllegalArgumentException if a prompt has tokens or a length that the model lacks, or an
   *     SAE does not reconstruct an activation of the model
   */
  public FeatureEffectStudy(Gpt2 gpt2, FeatureEffectOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
    this.cloze = options.cloze();
    this.layout = new FeatureEffectLayout(SaeFacts.of(cloze.saes()));
    cloze.prompts().forEach(prompt -> gpt2.requireTokens(prompt.tokens()));
    cloze.saes().forEach(sae -> sae.requireReconstructs(gpt2));
    for (int s = 0; s < cloze.saes().size(); s++) {
      HookPoint point = cloze.saes().get(s).sae().hookPoint();
      saesAt.computeIfAbsent(point, p -> new ArrayList<>()).add(s);
    }
  }

  @Override
  public String plan() {
    Gpt2Config config = gpt2.config();
    int prompts = cloze.prompts().size();
    return String.format(
        Locale.ROOT,
        "%,d prompts, %d SAEs, the last %d positions before the final token, about %,d evaluations"
            + " of a block; memory: weights %s, SAEs %s, active features %s",
        prompts,
        cloze.saes().size(),
        options.window(),
        work().blocks(),
        MemoryPlan.mebibytes(config.parameters() * Float.BYTES),
        MemoryPlan.mebibytes(NamedSae.bytes(cloze.saes())),
        MemoryPlan.mebibytes((long) prompts * layout.count() * Double.BYTES));
  }

  @Override
  public String estimate(Shard shard) {
    return work().estimate(gpt2, shard);
  }

  private Work work() {
    int layers = gpt2.config().nLayers();
    long after =
        cloze.saes().stream()
            .mapToLong(sae -> layers - Math.max(0, sae.sae().hookPoint().layer()))
            .sum();
    long prompts = cloze.prompts().size();
    // Predictions are of one position each, which is next to nothing.
    return new Work(
        ClozePrompt.meanLength(cloze.prompts()),
        prompts * (layers + after),
        0,
        SaeWork.each(cloze.saes(), prompts));
  }

  @Override
  public RowStudy<StudyOutcome> rows(Workers workers) {
    return new RowStudy<>(
        new StudyPlan(
            COMMAND,
            settings(),
            StudyRecord.facts(gpt2, workers).with("data", cloze.data()),
            cloze.prompts().size(),
            ROWS_PER_BLOCK,
            layout.count(),
            "prompts",
            1),
        Steps.of(this::compute, () -> SaeFacts.notes(cloze.saes())),
        FeatureEffectReport::write);
  }

  /**
   * Returns what puts the parts of a run together.
   *
   * @param shards output folders of all parts, in any order
   * @throws IllegalArgumentException if there are none
   */
  public static RowMerge<StudyOutcome> merge(List<Path> shards) {
    return new RowMerge<>(COMMAND, shards, FeatureEffectReport::write);
  }

  /** Returns the numbers of some prompts. */
  double[][] compute(RowRange rows, IntConsumer progress) {
    double[][] values = new double[rows.size()][layout.count()];
    for (int i = 0; i < values.length; i++) {
      ClozePrompt prompt = cloze.prompts().get(rows.from() + i);
      Map<HookPoint, BaseRun> runs =
          gpt2.baseRuns(prompt.tokens(), List.copyOf(saesAt.keySet()), NORMALIZED);
      Tensor clean = runs.values().iterator().next().cache().get(NORMALIZED);
      double before = lnP(clean, prompt.length() - 1, prompt.answer());
      for (Map.Entry<HookPoint, List<Integer>> entry : saesAt.entrySet()) {
        try (BaseRun base = runs.get(entry.getKey())) {
          for (int s : entry.getValue()) {
            replaced(values[i], prompt, base, before, s);
          }
        }
      }
      progress.accept(i + 1);
    }
    return values;
  }

  private void replaced(double[] row, ClozePrompt prompt, BaseRun base, double before, int s) {
    NamedSae named = cloze.saes().get(s);
    Tensor clean = base.activation();
    SparseFeatures features = named.sae().encode(clean);
    layout.setActive(row, s, active(features, prompt.length()));
    Tensor reconstruction =
        Tensor.wrap(clean.shape(), named.sae().decode(features, clean).toArray());
    var continuation = base.continueWith(reconstruction, NORMALIZED);
    int last = prompt.length() - 1 - continuation.firstPosition();
    row[layout.deltaLnP(s)] =
        lnP(continuation.cache().get(NORMALIZED), last, prompt.answer()) - before;
  }

  /** Returns the features above 0 at one of the last positions before the final token. */
  private BitSet active(SparseFeatures features, int length) {
    // An SAE over heads has several rows a position.
    int rowsAt = features.rows() / length;
    int to = length - 1;
    int from = Math.max(0, to - options.window());
    BitSet active = new BitSet();
    for (int r = from * rowsAt; r < to * rowsAt; r++) {
      for (int k = features.start(r); k < features.end(r); k++) {
        if (features.values()[k] > 0) {
          active.set(features.indices()[k]);
        }
      }
    }
    return active;
  }

  private double lnP(Tensor normalized, int pos, int answer) {
    return LogSoftmax.rows(gpt2.unembed(normalized.slice(Axis.POS, pos, pos + 1)))[0][answer];
  }

  private Settings settings() {
    StringBuilder keys = new StringBuilder();
    cloze.prompts().forEach(prompt -> keys.append(prompt.key()).append('\n'));
    return StudyRecord.settings("language-features/1", gpt2, BuildInfo.current().version())
        .with("task", cloze.task().word())
        .with("prompts", cloze.prompts().size())
        .with("prompts_sha256", TokenDigest.sha256(keys.toString()))
        .with("window", options.window())
        .with("saes", cloze.saes().stream().map(NamedSae::name).toList())
        .with("saes_sha256", cloze.saes().stream().map(NamedSae::sha256).toList())
        .with("sae_points", cloze.saes().stream().map(sae -> sae.sae().hookPoint().name()).toList())
        .with("seed", cloze.seed())
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}
