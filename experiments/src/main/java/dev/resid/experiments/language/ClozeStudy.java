package dev.resid.experiments.language;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.language.ClozeOptions.Quality;
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
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A test of predicting one word, with activations as they are and replaced by reconstructions at
 * all positions.
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results.
 *
 * @source Anders and Bloom 2024, "Examining Language Model Performance with Reconstructed
 *     Activations using Sparse Autoencoders"
 */
public final class ClozeStudy implements Study {
  private static final int ROWS_PER_BLOCK = 8;

  private final Gpt2 gpt2;
  private final ClozeOptions options;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @throws IllegalArgumentException if a prompt has tokens or a length that the model lacks, or an
   *     SAE does not reconstruct an activation of the model
   */
  public ClozeStudy(Gpt2 gpt2, ClozeOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
    options.prompts().forEach(prompt -> gpt2.requireTokens(prompt.tokens()));
    options.saes().forEach(sae -> sae.requireReconstructs(gpt2));
  }

  @Override
  public String plan() {
    Gpt2Config config = gpt2.config();
    int longest = longest();
    long bytes = (1L + options.saes().size()) * longest * 12 * config.dModel() * Float.BYTES;
    return String.format(
        Locale.ROOT,
        "%,d prompts of up to %d tokens, %d SAEs, about %,d evaluations of a block; memory: weights"
            + " %s, SAEs %s, activations %s",
        options.prompts().size(),
        longest,
        options.saes().size(),
        work().blocks(),
        MemoryPlan.mebibytes(config.parameters() * Float.BYTES),
        MemoryPlan.mebibytes(NamedSae.bytes(options.saes())),
        MemoryPlan.mebibytes(bytes));
  }

  @Override
  public String estimate(Shard shard) {
    return work().estimate(gpt2, shard);
  }

  private int longest() {
    return options.prompts().stream().mapToInt(ClozePrompt::length).max().orElseThrow();
  }

  private Work work() {
    int layers = gpt2.config().nLayers();
    long after =
        options.saes().stream()
            .mapToLong(sae -> layers - Math.max(0, sae.sae().hookPoint().layer()))
            .sum();
    long prompts = options.prompts().size();
    int encoded = options.quality() == Quality.OF_RECONSTRUCTION ? 2 : 1;
    return new Work(
        ClozePrompt.meanLength(options.prompts()),
        prompts * (layers + after),
        prompts * (1 + options.saes().size()),
        SaeWork.each(options.saes(), encoded * prompts));
  }

  @Override
  public RowStudy<StudyOutcome> rows(Workers workers) {
    return new RowStudy<>(
        new StudyPlan(
            command(options.task()),
            settings(),
            StudyRecord.facts(gpt2, workers).with("data", options.data()),
            options.prompts().size(),
            ROWS_PER_BLOCK,
            ClozeLayout.of(options.saes().size()).count(),
            "prompts",
            1),
        Steps.of(new ClozeSweep(gpt2, options), () -> ClozeResult.notes(options)),
        ClozeReport::write);
  }

  /**
   * Returns what puts the parts of a run together.
   *
   * @param task which test they are of
   * @param shards output folders of all parts, in any order
   * @throws IllegalArgumentException if there are none
   */
  public static RowMerge<StudyOutcome> merge(ClozeTask task, List<Path> shards) {
    return new RowMerge<>(command(task), shards, ClozeReport::write);
  }

  /** Returns the command in records. */
  public static String command(ClozeTask task) {
    return "language " + task.word();
  }

  private Settings settings() {
    StringBuilder keys = new StringBuilder();
    options.prompts().forEach(prompt -> keys.append(prompt.key()).append('\n'));
    return StudyRecord.settings(
            "language-" + options.task().word() + "/2", gpt2, BuildInfo.current().version())
        .with("task", options.task().word())
        .with("prompts", options.prompts().size())
        .with("prompts_sha256", TokenDigest.sha256(keys.toString()))
        .with("saes", options.saes().stream().map(sae -> sae.name()).toList())
        .with("saes_sha256", options.saes().stream().map(sae -> sae.sha256()).toList())
        .with(
            "sae_points", options.saes().stream().map(sae -> sae.sae().hookPoint().name()).toList())
        .with("quality", options.quality().word())
        .with("seed", options.seed())
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}
