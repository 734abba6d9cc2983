package dev.resid.experiments.language;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyPlan;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.model.BaseRun;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.progress.Progress;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
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
public final class ContextStudy {
  static final String CE = "ce";
  static final String SAE_CE = "sae_ce";
  static final String QUALITY = "quality";
  private static final int ROWS_PER_BLOCK = 2;

  private final Gpt2 gpt2;
  private final ContextOptions options;
  private final RowLayout layout;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @throws IllegalArgumentException if a row has tokens or a length that the model lacks, or an
   *     SAE does not reconstruct an activation of the model
   */
  public ContextStudy(Gpt2 gpt2, ContextOptions options) {
    gpt2.requireTokens(options.tokens());
    options.saes().forEach(sae -> sae.requireReconstructs(gpt2));
    this.gpt2 = gpt2;
    this.options = options;
    this.layout = layout(options.saes().size(), options.tokens().maxLength());
  }

  /** Returns where the numbers of a row stand; the last position has no cross-entropy. */
  static RowLayout layout(int saes, int positions) {
    return RowLayout.empty()
        .with(CE, positions - 1)
        .with(SAE_CE, saes, positions - 1)
        .with(QUALITY, saes, ClozeLayout.QUANTITIES, positions);
  }

  /** Returns in a few words what will be computed. */
  public String plan() {
    int rows = options.tokens().rows();
    int layers = gpt2.config().nLayers();
    long blocks =
        options.saes().stream()
            .mapToLong(sae -> 2L * layers - Math.max(0, sae.sae().hookPoint().layer()))
            .sum();
    return String.format(
        Locale.ROOT,
        "%,d rows of %d tokens, %d SAEs, about %,d evaluations of a block; memory: weights %,d MiB,"
            + " numbers %,d MiB",
        rows,
        options.tokens().maxLength(),
        options.saes().size(),
        rows * blocks,
        Math.max(1, gpt2.config().parameters() * Float.BYTES >> 20),
        Math.max(1, (long) rows * layout.count() * Double.BYTES >> 20));
  }

  /**
   * Computes what is missing in the folder and writes the results.
   *
   * @param folder where; created if it is missing
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public StudyOutcome run(Path folder, Progress progress, Workers workers) throws IOException {
    StudyPlan plan =
        new StudyPlan(
            "language context",
            settings(),
            StudyPage.facts(gpt2, workers).with("data", options.data()),
            options.tokens().rows(),
            ROWS_PER_BLOCK,
            layout.count(),
            "runs",
            options.saes().size());
    return RowStudy.run(
        folder,
        plan,
        this::compute,
        (out, values, sharing) -> new ContextReport(out, options, values, sharing).write(),
        progress,
        workers);
  }

  /** Returns the numbers of some rows. */
  double[][] compute(RowRange rows, IntConsumer progress) {
    double[][] values = new double[rows.size()][layout.count()];
    int saes = options.saes().size();
    for (int i = 0; i < values.length; i++) {
      TokenBatch row = options.tokens().slice(rows.from() + i, rows.from() + i + 1);
      for (int s = 0; s < saes; s++) {
        replaced(values[i], row, s);
        progress.accept(i * saes + s + 1);
      }
    }
    return values;
  }

  private void replaced(double[] values, TokenBatch row, int s) {
    NamedSae named = options.saes().get(s);
    int positions = row.maxLength();
    try (BaseRun base = gpt2.baseRun(row, named.sae().hookPoint())) {
      Tensor clean = base.activation();
      SaeQuality quality = SaeQuality.of(named.sae(), clean, positions);
      PositionValues before = base.crossEntropyNats();
      PositionValues after =
          base.continueWith(Tensor.wrap(clean.shape(), quality.reconstruction()))
              .crossEntropyNats();
      for (int pos = 0; pos < positions; pos++) {
        if (pos < positions - 1) {
          values[layout.index(CE, pos)] = before.get(0, pos);
          values[layout.index(SAE_CE, s, pos)] = after.get(0, pos);
        }
        for (int q = 0; q < ClozeLayout.QUANTITIES; q++) {
          values[layout.index(QUALITY, s, q, pos)] = quality.values()[pos][q];
        }
      }
    }
  }

  private Settings settings() {
    return StudyPage.settings("language-context/1", gpt2, BuildInfo.current().version())
        .with("tokens_sha256", TokenDigest.sha256(options.tokens()))
        .with("rows", options.tokens().rows())
        .with("positions", options.tokens().maxLength())
        .with("saes", options.saes().stream().map(NamedSae::name).toList())
        .with("saes_sha256", options.saes().stream().map(NamedSae::sha256).toList())
        .with(
            "sae_points", options.saes().stream().map(sae -> sae.sae().hookPoint().name()).toList())
        .with("seed", options.seed())
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}
