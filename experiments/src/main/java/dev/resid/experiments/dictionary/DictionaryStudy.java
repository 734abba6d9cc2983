package dev.resid.experiments.dictionary;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowMerge;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.RowStudy.Blocks;
import dev.resid.experiments.study.RowStudy.Steps;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.study.Study;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyPlan;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * SAEs as dictionaries: what their most frequent features are worth, whether norms explain raw
 * errors, and which directions two of them share.
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results. Each process counts frequencies anew, on all rows; the one with the first row computes
 * the cosines.
 *
 * @source Riggs 2024, comments on dictionary learning; Sharkey, Braun and Millidge 2022, "Taking
 *     features out of superposition with sparse autoencoders" (cosines between dictionaries)
 */
public final class DictionaryStudy implements Study {
  /** The command in records. */
  public static final String COMMAND = "dictionary";

  private final Gpt2 gpt2;
  private final DictionaryOptions options;
  private final DictionaryLayout sizes;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @throws IllegalArgumentException if an SAE does not belong to the model, or a row is longer
   *     than its context
   */
  public DictionaryStudy(Gpt2 gpt2, DictionaryOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
    gpt2.requireTokens(options.tokens());
    options.saes().forEach(sae -> sae.sae().requireFits(gpt2));
    this.sizes = new DictionaryLayout(gpt2.config().nLayers(), SaeFacts.of(options.saes()));
  }

  @Override
  public String plan() {
    Gpt2Config config = gpt2.config();
    long features = 0;
    for (NamedSae sae : options.saes()) {
      features += sae.sae().config().dSae();
    }
    return String.format(
        Locale.ROOT,
        "%,d rows (%,d tokens), %d SAEs of %,d features: %,d continuations and at most %,d block"
            + " evaluations a row, then cosines between %d pairs of dictionaries; memory: weights"
            + " %,d MiB, SAEs %,d MiB",
        options.tokens().rows(),
        options.tokens().tokenCount(),
        options.saes().size(),
        features,
        sizes.continuations(),
        sizes.blockRuns(),
        options.saes().size() * (options.saes().size() - 1) / 2,
        Math.max(1, config.parameters() * Float.BYTES >> 20),
        Math.max(1, 2 * features * config.dModel() * Float.BYTES >> 20));
  }

  @Override
  public RowStudy<StudyOutcome> rows(Workers workers) {
    return new RowStudy<>(
        new StudyPlan(
            COMMAND,
            settings(),
            StudyPage.facts(gpt2, workers).with("text", options.text()),
            options.tokens().rows(),
            1,
            sizes.rows().count(),
            "continuations",
            sizes.continuations()),
        new Walk(),
        DictionaryReport::write);
  }

  /**
   * Returns what puts the parts of a run together.
   *
   * @param shards output folders of all parts, in any order
   * @throws IllegalArgumentException if there are none
   */
  public static RowMerge<StudyOutcome> merge(List<Path> shards) {
    return new RowMerge<>(COMMAND, shards, DictionaryReport::write);
  }

  /** One process's work: frequencies, rows, cosines. */
  private final class Walk implements Steps {
    private FeatureCounts counts;

    @Override
    public void compute(RunFolder out, Blocks blocks, Progress progress) throws IOException {
      blocks.run(new DictionarySweep(gpt2, options, sizes, counts(progress)));
    }

    @Override
    public Settings notes(RunFolder out, Progress progress) {
      Settings notes = SaeFacts.notes(options.saes()).with("layers", sizes.layers());
      counts(progress).addTo(notes);
      return DictionaryPairs.of(options, counts(progress), gpt2.backend(), progress).addTo(notes);
    }

    private FeatureCounts counts(Progress progress) {
      if (counts == null) {
        counts = FeatureCounts.of(gpt2, options.tokens(), options.saes(), progress);
      }
      return counts;
    }
  }

  private Settings settings() {
    TokenBatch tokens = options.tokens();
    List<NamedSae> saes = options.saes();
    return StudyPage.settings("dictionary/1", gpt2, BuildInfo.current().version())
        .with("tokens_sha256", TokenDigest.sha256(tokens))
        .with("rows", tokens.rows())
        .with("tokens", tokens.tokenCount())
        .with("saes", saes.stream().map(NamedSae::name).toList())
        .with("sae_families", saes.stream().map(NamedSae::family).toList())
        .with("sae_points", saes.stream().map(s -> s.sae().config().point().name()).toList())
        .with("sae_sha256", saes.stream().map(NamedSae::sha256).toList())
        .with("atoms", options.atoms().name().toLowerCase(Locale.ROOT))
        .with("assigned_at_most", options.assignedAtMost())
        .with("seed", options.seed())
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}
