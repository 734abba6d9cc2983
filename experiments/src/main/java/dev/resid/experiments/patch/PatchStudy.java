package dev.resid.experiments.patch;

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
import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Activation patching over layer, position and component, with attribution patching, direct logit
 * attribution and the logit lens on the same pairs of prompts.
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results.
 *
 * @source Meng et al. 2022, "Locating and Editing Factual Associations in GPT", section 2 (patching
 *     a corrupted run); Nanda 2023, "Attribution Patching: Activation Patching At Industrial Scale"
 */
public final class PatchStudy implements Study {
  /** The command in records. */
  public static final String COMMAND = "patch";

  private final Gpt2 gpt2;
  private final PatchOptions options;
  private final PatchLayout sizes;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is patched
   * @throws IllegalArgumentException if a prompt has tokens or a length that the model lacks
   */
  public PatchStudy(Gpt2 gpt2, PatchOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
    for (TokenPair pair : options.pairs()) {
      gpt2.requireTokens(pair.clean());
      gpt2.requireTokens(pair.corrupted());
    }
    this.sizes =
        new PatchLayout(gpt2.config().nLayers(), gpt2.config().nHeads(), options.longest());
  }

  @Override
  public String plan() {
    Gpt2Config config = gpt2.config();
    Work work = work();
    long bytes =
        (long) options.copiesAtOnce() * sizes.positions() * 12L * config.dModel() * Float.BYTES;
    return String.format(
        Locale.ROOT,
        "%s of up to %d tokens, %,d patches, about %,d evaluations of a block;"
            + " memory: weights %s, activations %s (%d patches at a time)",
        options.pairs().size() == 1
            ? "1 pair of prompts"
            : String.format(Locale.ROOT, "%,d pairs of prompts", options.pairs().size()),
        sizes.positions(),
        work.predictions(),
        work.blocks(),
        MemoryPlan.mebibytes(config.parameters() * Float.BYTES),
        MemoryPlan.mebibytes(bytes),
        options.copiesAtOnce());
  }

  @Override
  public String estimate(Shard shard) {
    return work().estimate(gpt2, shard);
  }

  private Work work() {
    int layers = gpt2.config().nLayers();
    long continuations = 0;
    long blocks = 0;
    for (TokenPair pair : options.pairs()) {
      long n = PatchSweep.continuations(sizes, pair.length());
      continuations += n;
      // A patch in block l runs the blocks from l on: (n_layers + 1)/2 of them on average.
      blocks += n * (layers + 1) / 2 + 8L * layers;
    }
    return new Work(sizes.positions(), blocks, continuations);
  }

  @Override
  public RowStudy<StudyOutcome> rows(Workers workers) {
    return new RowStudy<>(
        new StudyPlan(
            COMMAND,
            settings(),
            StudyRecord.facts(gpt2, workers).with("data", options.data()),
            options.pairs().size(),
            1,
            sizes.rows().count(),
            "patches",
            PatchSweep.continuations(sizes, sizes.positions())),
        Steps.of(
            new PatchSweep(gpt2, options, sizes),
            () -> PatchLabels.of(gpt2, options.pairs()).notes(sizes)),
        PatchReport::write);
  }

  /**
   * Returns what puts the parts of a run together.
   *
   * @param shards output folders of all parts, in any order
   * @throws IllegalArgumentException if there are none
   */
  public static RowMerge<StudyOutcome> merge(List<Path> shards) {
    return new RowMerge<>(COMMAND, shards, PatchReport::write);
  }

  private Settings settings() {
    List<String> pairs =
        options.pairs().stream()
            .map(
                pair ->
                    java.util.Arrays.toString(pair.clean().row(0))
                        + " "
                        + java.util.Arrays.toString(pair.corrupted().row(0))
                        + " "
                        + pair.answer()
                        + " "
                        + pair.against())
            .toList();
    return StudyRecord.settings("patch/1", gpt2, BuildInfo.current().version())
        .with("pairs", pairs)
        .with("seed", options.seed())
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}
