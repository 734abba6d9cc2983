package dev.resid.experiments.dictionary;

import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.random.CounterRandom;
import dev.resid.sae.dictionary.FeatureActivations;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The features that are looked at one by one, and where they are active: of each SAE so many drawn
 * evenly from those active on enough tokens.
 */
final class FeatureSample {
  /** Features active on fewer tokens show too little. */
  static final int ACTIVE_AT_LEAST = 10;

  private final Gpt2 gpt2;
  private final DictionaryOptions options;
  private final FeatureUnits units;
  private final List<Optional<List<FeatureActivations>>> scans = new ArrayList<>();

  FeatureSample(Gpt2 gpt2, DictionaryOptions options, FeatureCounts counts) {
    this.gpt2 = gpt2;
    this.options = options;
    int[][] features = new int[options.saes().size()][];
    for (int s = 0; s < features.length; s++) {
      features[s] = draw(counts.active(s), options.features(), options.seed(), s);
      scans.add(Optional.empty());
    }
    units = new FeatureUnits(options.features(), features);
  }

  private static int[] draw(long[] active, int most, long seed, int sae) {
    int[] candidates =
        IntStream.range(0, active.length).filter(f -> active[f] >= ACTIVE_AT_LEAST).toArray();
    int[] order =
        new CounterRandom(seed)
            .permutation(candidates.length, DrawKeys.DICTIONARY_FEATURES.stream(sae), 0);
    return Arrays.stream(order).limit(most).map(i -> candidates[i]).sorted().toArray();
  }

  /** Returns which features. */
  FeatureUnits units() {
    return units;
  }

  /** Returns where the feature of a unit is active; the text is run once an SAE. */
  FeatureActivations activations(int unit, Progress progress) {
    int sae = units.sae(unit);
    if (scans.get(sae).isEmpty()) {
      try (Progress.Task task =
          progress.begin(options.saes().get(sae).name(), "rows", 0, options.tokens().rows())) {
        scans.set(
            sae,
            Optional.of(
                FeatureActivations.scan(
                    gpt2,
                    options.saes().get(sae).sae(),
                    options.tokens(),
                    task::advanceTo,
                    units.features()[sae])));
      }
    }
    return scans.get(sae).orElseThrow().get(unit % units.slots());
  }
}
