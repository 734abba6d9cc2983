package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.ConnectionPairs.Pair;
import dev.resid.experiments.study.RowLayout;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureConnections;
import dev.resid.sae.dictionary.FeatureConnections.Effect;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;

/** What single features do to later ones. */
final class ConnectionSweep {
  private static final RowLayout LAYOUT = ConnectionPairs.VALUES;

  private final Gpt2 gpt2;
  private final DictionaryOptions options;
  private final List<Pair> pairs;
  private final FeatureSample sample;
  private final Progress progress;

  ConnectionSweep(
      Gpt2 gpt2,
      DictionaryOptions options,
      List<Pair> pairs,
      FeatureSample sample,
      Progress progress) {
    this.gpt2 = gpt2;
    this.options = options;
    this.pairs = pairs;
    this.sample = sample;
    this.progress = progress;
  }

  /**
   * Returns the numbers of a feature of a pair.
   *
   * @param row number of the feature, those of the first pair first
   */
  double[] compute(int row) {
    double[] numbers = new double[LAYOUT.count()];
    Pair pair = pairs.get(row / options.features());
    int unit = pair.from() * options.features() + row % options.features();
    if (sample.units().has(unit)) {
      measure(numbers, pair, unit);
    }
    return numbers;
  }

  private void measure(double[] numbers, Pair pair, int unit) {
    Sae from = options.saes().get(pair.from()).sae();
    Sae to = options.saes().get(pair.to()).sae();
    FeatureActivations activations = sample.activations(unit, progress);
    TokenBatch tokens = options.firstRows();
    int feature = activations.feature();
    Effect zeroed = FeatureConnections.causal(gpt2, from, to, tokens, feature);
    if (zeroed.activeTokens() == 0) {
      return;
    }
    Effect raised =
        FeatureConnections.raised(gpt2, from, to, tokens, feature, activations.largest());
    double sum = 0;
    for (int row = 0; row < tokens.rows(); row++) {
      for (float value : activations.row(row)) {
        sum += value;
      }
    }
    numbers[LAYOUT.index("present")] = 1;
    numbers[LAYOUT.index("active_tokens")] = zeroed.activeTokens();
    numbers[LAYOUT.index("mean_active")] = sum / zeroed.activeTokens();
    numbers[LAYOUT.index("largest")] = activations.largest();
    for (int t = 0; t < pair.targets().length; t++) {
      int target = pair.targets()[t];
      numbers[LAYOUT.index("zeroed", t)] = zeroed.meanChange()[target];
      numbers[LAYOUT.index("where_active", t)] = zeroed.meanChangeWhereActive()[target];
      numbers[LAYOUT.index("raised", t)] = raised.meanChange()[target];
    }
  }
}
