package dev.resid.experiments.plateau;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.study.Work;
import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import java.util.List;
import java.util.Locale;

/**
 * What a run takes.
 *
 * @param cleanBlocks evaluations of one block at one position, for clean runs
 * @param movedBlocks the same for moved activations
 * @param unembeddings predictions whose KL is measured
 * @param ways ways of this shard's prompts
 * @param batch prompts at a time
 * @param bytes about how much memory the activations of one call take
 * @param memory what there is
 */
record PlateauCost(
    long cleanBlocks,
    long movedBlocks,
    long unembeddings,
    long ways,
    int batch,
    long bytes,
    MemoryPlan memory) {
  /** More than this brings no speed. */
  static final long MOST_BYTES = 512L << 20;

  /**
   * Vectors of d_model floats that a moved position takes in a continuation beside the clean
   * copies: block inputs and outputs, hidden layer of the MLP, what is kept. Counted and rounded
   * up.
   */
  private static final int VECTORS_PER_POSITION = 28;

  static PlateauCost of(
      Gpt2Config config,
      PlateauOptions options,
      List<Curve> curves,
      int promptsPerBlock,
      MemoryPlan memory) {
    int pos = options.tokens().maxLength();
    int after = config.nLayers() - options.layer();
    // The whole clean stream twice, and keys and values of the positions before the last.
    long perCopy = 2L * pos + 2L * (pos - 1) * after + VECTORS_PER_POSITION;
    long perPrompt = perCopy * config.dModel() * Float.BYTES * Regime.POINTS;
    int fitting = Math.clamp(memory.budget() / perPrompt, 1, promptsPerBlock);
    int batch =
        options.batchPrompts() == 0 ? fitting : Math.min(options.batchPrompts(), promptsPerBlock);
    memory.requireRoomFor(perPrompt * batch);
    long prompts = options.prompts();
    long withKl = curves.stream().filter(Curve::hasPrediction).count();
    return new PlateauCost(
        ((long) options.tokens().rows() * options.layer()
                + (long) PromptPass.readPrompts(options) * config.nLayers()
                + prompts * (config.nLayers() + after))
            * pos,
        prompts * curves.size() * Regime.POINTS * after,
        prompts * withKl * Regime.POINTS,
        prompts * curves.size(),
        batch,
        perPrompt * batch,
        memory);
  }

  /** Returns the cost in words. */
  String words(Gpt2Config config, PlateauOptions options) {
    // One of the copies of a way is the clean run's.
    String onDevice = memory.words(bytes / Regime.POINTS);
    return String.format(
        Locale.ROOT,
        "%,d of %,d prompts of %d tokens, %s of %d blocks, %,d ways of %d points; block"
            + " evaluations at one position: %,d clean, %,d moved, and %,d predictions; memory:"
            + " weights %s, %sactivations %s (%d prompts at a time), pool %s%s",
        options.prompts(),
        options.tokens().rows(),
        options.tokens().maxLength(),
        HookPoint.residPre(options.layer()),
        config.nLayers(),
        ways,
        Regime.POINTS,
        cleanBlocks,
        movedBlocks,
        unembeddings,
        MemoryPlan.mebibytes(config.parameters() * Float.BYTES),
        options
            .sae()
            .map(sae -> "SAE " + MemoryPlan.mebibytes(NamedSae.bytes(List.of(sae.named()))) + ", ")
            .orElse(""),
        MemoryPlan.mebibytes(bytes),
        batch,
        MemoryPlan.mebibytes((long) options.tokens().rows() * config.dModel() * Float.BYTES),
        onDevice);
  }

  /** Returns about how many seconds all ways take, from running one way of one prompt. */
  double estimateSeconds(Gpt2 gpt2, PlateauOptions options) {
    try (BaseRun base =
        gpt2.baseRun(options.tokens().slice(0, 1), HookPoint.residPre(options.layer()))) {
      Tensor clean = base.activation();
      int pos = clean.shape().size(Axis.POS);
      Tensor moved = clean.with(Axis.POS, pos - 1, clean.at(Axis.POS, pos - 1).times(1.5));
      float[] one = moved.toArray();
      float[] all = new float[one.length * Regime.POINTS];
      for (int n = 0; n < Regime.POINTS; n++) {
        System.arraycopy(one, 0, all, n * one.length, one.length);
      }
      Tensor copies = Tensor.wrap(clean.shape().with(Axis.BATCH, Regime.POINTS), all);
      return Work.fastest(() -> base.continueWith(copies).klNats()) * ways;
    }
  }
}
