package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.ConnectionPairs.Pair;
import dev.resid.experiments.dictionary.DictionaryOptions.Part;
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
import dev.resid.experiments.study.StudyPlan;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.study.Work;
import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * SAEs as dictionaries: what their most frequent features are worth, whether norms explain raw
 * errors, and which directions two of them share; what single features respond to and do; and how
 * features of one SAE lead to those of a later one. Which of these three parts are run is an
 * option.
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results. Each process counts frequencies anew, on all rows; the one with the first row computes
 * cosines and fits.
 *
 * @source Riggs 2024, comments on dictionary learning; Sharkey, Braun and Millidge 2022, "Taking
 *     features out of superposition with sparse autoencoders" (cosines between dictionaries)
 */
public final class DictionaryStudy implements Study {
  /** The command in records. */
  public static final String COMMAND = "dictionary";

  /** What was counted of a text, for a run that goes on. */
  private static final String FREQUENCIES = "frequencies";

  private final Gpt2 gpt2;
  private final DictionaryOptions options;
  private final DictionaryLayout sizes;
  private final DictionaryRows rows;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @throws IllegalArgumentException if an SAE does not belong to the model, a row is longer than
   *     its context, or only connections are asked for and no SAE follows another
   */
  public DictionaryStudy(Gpt2 gpt2, DictionaryOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
    gpt2.requireTokens(options.tokens());
    options.saes().forEach(sae -> sae.sae().requireFits(gpt2));
    this.sizes = new DictionaryLayout(gpt2.config().nLayers(), SaeFacts.of(options.saes()));
    this.rows = DictionaryRows.of(options);
    if (rows.count() == 0) {
      throw new IllegalArgumentException(
          "connections lead from an SAE to one of the same family at a later point, and no two of"
              + " the SAEs are such a pair; add one with --sae");
    }
  }

  @Override
  public String plan() {
    Gpt2Config config = gpt2.config();
    long features = 0;
    for (NamedSae sae : options.saes()) {
      features += sae.sae().config().dSae();
    }
    List<String> parts = new ArrayList<>();
    int rows = options.firstRows().rows();
    int saes = options.saes().size();
    if (options.parts().contains(Part.DICTIONARIES)) {
      parts.add(
          String.format(
              Locale.ROOT,
              "%,d continuations and %,d block evaluations for each of %,d rows, then cosines"
                  + " between %,d pairs of dictionaries",
              sizes.continuations(),
              sizes.blockRuns(),
              rows,
              saes * (saes - 1) / 2));
    }
    if (options.parts().contains(Part.FEATURES)) {
      parts.add(
          String.format(
              Locale.ROOT,
              "%,d single features, each with at most %,d rows without it and %,d texts without"
                  + " each token or pair of tokens",
              saes * options.features(),
              FeatureSweep.ABLATED_ROWS,
              TextAblation.TEXTS));
    }
    if (options.parts().contains(Part.CONNECTIONS)) {
      parts.add(ConnectionPairs.plan(options));
    }
    return String.format(
        Locale.ROOT,
        "%,d rows (%,d tokens), %,d SAEs of %,d features: %s; memory: weights %s, SAEs %s",
        options.tokens().rows(),
        options.tokens().tokenCount(),
        saes,
        features,
        String.join("; ", parts),
        MemoryPlan.mebibytes(config.parameters() * Float.BYTES),
        MemoryPlan.mebibytes(2 * features * config.dModel() * Float.BYTES));
  }

  @Override
  public String estimate(Shard shard) {
    return work().estimate(gpt2, shard);
  }

  private Work work() {
    long rows = this.rows.count();
    boolean dictionaries = options.parts().contains(Part.DICTIONARIES);
    return new Work(
        options.tokens().maxLength(),
        dictionaries ? rows * sizes.blockRuns() : rows * gpt2.config().nLayers(),
        dictionaries ? rows * sizes.continuations() : rows);
  }

  @Override
  public RowStudy<StudyOutcome> rows(Workers workers) {
    return new RowStudy<>(
        new StudyPlan(
            COMMAND,
            settings(),
            StudyRecord.facts(gpt2, workers).with("text", options.text()),
            rows.count(),
            1,
            rows.columns(sizes),
            "steps",
            row -> rows.units(row, sizes)),
        new Walk(),
        DictionaryPage::write);
  }

  /**
   * Returns what puts the parts of a run together.
   *
   * @param shards output folders of all parts, in any order
   * @throws IllegalArgumentException if there are none
   */
  public static RowMerge<StudyOutcome> merge(List<Path> shards) {
    return new RowMerge<>(COMMAND, shards, DictionaryPage::write);
  }

  /** One process's work: frequencies, rows and features, then what the results need besides. */
  private final class Walk implements Steps {
    private Optional<FeatureCounts> counts = Optional.empty();
    private Optional<FeatureSample> sample = Optional.empty();

    @Override
    public void compute(RunFolder out, Blocks blocks, Progress progress) throws IOException {
      FeatureSample features = sample(out, progress);
      DictionarySweep texts = new DictionarySweep(gpt2, options, sizes, counts(out, progress));
      FeatureSweep single = new FeatureSweep(gpt2, options, features, progress);
      ConnectionSweep connected =
          new ConnectionSweep(gpt2, options, pairs(out, progress), features, progress);
      int columns = rows.columns(sizes);
      blocks.run(
          (block, listener) -> {
            double[][] values = new double[block.size()][];
            for (int row = block.from(); row < block.to(); row++) {
              int feature = row - rows.text();
              double[] numbers =
                  feature < 0
                      ? texts.compute(row, listener)
                      : feature < rows.features()
                          ? single.compute(feature)
                          : connected.compute(feature - rows.features());
              values[row - block.from()] = Arrays.copyOf(numbers, columns);
            }
            return values;
          });
    }

    @Override
    public Settings notes(RunFolder out, Progress progress) throws IOException {
      Settings notes = SaeFacts.notes(options.saes()).with("layers", sizes.layers());
      rows.addTo(notes);
      counts(out, progress).addTo(notes);
      sample(out, progress).units().addTo(notes);
      if (options.parts().contains(Part.DICTIONARIES)) {
        DictionaryPairs.of(options, counts(out, progress), gpt2.backend(), progress).addTo(notes);
      }
      if (options.parts().contains(Part.FEATURES)) {
        new FeatureNotes(gpt2, options, sample(out, progress)).addTo(notes, progress);
      }
      if (options.parts().contains(Part.CONNECTIONS)) {
        ConnectionPairs.addTo(pairs(out, progress), notes);
        fits(notes, out, progress);
      }
      return notes;
    }

    @Override
    public void finished(RunFolder out) throws IOException {
      Files.deleteIfExists(out.work(FREQUENCIES));
    }

    private void fits(Settings notes, RunFolder out, Progress progress) throws IOException {
      List<Pair> pairs = pairs(out, progress);
      for (int p = 0; p < pairs.size() && ConnectionFits.possible(options); p++) {
        int[] looked = sample(out, progress).units().features()[pairs.get(p).from()];
        ConnectionFits.of(gpt2, options, pairs.get(p), looked, counts(out, progress), progress)
            .addTo(notes, p);
      }
    }

    private FeatureCounts counts(RunFolder out, Progress progress) throws IOException {
      if (counts.isEmpty()) {
        counts =
            Optional.of(
                FeatureCounts.of(
                    gpt2,
                    options.tokens(),
                    options.saes(),
                    out.work(FREQUENCIES),
                    FeatureCounts.ROWS_OF_A_STEP,
                    progress));
      }
      return counts.get();
    }

    private FeatureSample sample(RunFolder out, Progress progress) throws IOException {
      if (sample.isEmpty()) {
        sample = Optional.of(new FeatureSample(gpt2, options, counts(out, progress)));
      }
      return sample.get();
    }

    private List<Pair> pairs(RunFolder out, Progress progress) throws IOException {
      return ConnectionPairs.of(options.saes(), counts(out, progress));
    }
  }

  private Settings settings() {
    TokenBatch tokens = options.tokens();
    List<NamedSae> saes = options.saes();
    return StudyRecord.settings("dictionary/3", gpt2, BuildInfo.current().version())
        .with("tokens_sha256", TokenDigest.sha256(tokens))
        .with("rows", tokens.rows())
        .with("tokens", tokens.tokenCount())
        .with("saes", saes.stream().map(NamedSae::name).toList())
        .with("sae_families", saes.stream().map(NamedSae::family).toList())
        .with("sae_points", saes.stream().map(s -> s.sae().config().point().name()).toList())
        .with("sae_sha256", saes.stream().map(NamedSae::sha256).toList())
        .with(
            "parts",
            options.parts().stream()
                .sorted()
                .map(part -> part.name().toLowerCase(Locale.ROOT))
                .toList())
        .with("removal_rows", options.firstRows().rows())
        .with("features", options.features())
        .with("atoms", options.atoms().name().toLowerCase(Locale.ROOT))
        .with("assigned_at_most", options.assignedAtMost())
        .with("seed", options.seed())
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}
