package dev.resid.experiments.language;

import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.sae.metric.FeatureGoodness;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/** The features of every SAE, from the numbers of a complete run. */
final class FeatureEffectResult {
  private final List<SaeFacts> saes;
  private final List<FeatureGoodness> goodness = new ArrayList<>();
  private final List<int[]> features = new ArrayList<>();
  private final Estimates estimates;

  FeatureEffectResult(List<SaeFacts> saes, long seed, RowValues values, Workers workers) {
    this.saes = List.copyOf(saes);
    FeatureEffectLayout layout = new FeatureEffectLayout(saes);
    double[][] weighted = new double[values.rows()][2 * saes.size()];
    for (int s = 0; s < saes.size(); s++) {
      List<BitSet> active = new ArrayList<>();
      int dSae = saes.get(s).dSae();
      FeatureGoodness found = new FeatureGoodness(dSae);
      for (int row = 0; row < values.rows(); row++) {
        int at = row;
        active.add(layout.active(column -> values.get(at, column), s));
        found.add(active.getLast(), values.get(row, layout.deltaLnP(s)));
      }
      goodness.add(found);
      features.add(IntStream.range(0, dSae).filter(i -> found.prompts(i) > 0).toArray());
      // The mean over features of means over prompts is Σ w_m Δ_m / Σ w_m over prompts m with
      // w_m = Σ 1/|M_i| over the features i active in m: a ratio of sums that can be resampled.
      for (int row = 0; row < values.rows(); row++) {
        double weight = active.get(row).stream().mapToDouble(i -> 1.0 / found.prompts(i)).sum();
        weighted[row][s] = weight;
        weighted[row][saes.size() + s] = weight * values.get(row, layout.deltaLnP(s));
      }
    }
    RowValues weights = new RowValues(values.rows(), 2 * saes.size());
    for (int row = 0; row < values.rows(); row++) {
      weights.set(row, weighted[row]);
    }
    this.estimates = new Estimates(weights, RowStudy.RESAMPLES, seed, workers);
  }

  List<SaeFacts> saes() {
    return saes;
  }

  int layer(int s) {
    return saes.get(s).reads().layer();
  }

  int prompts() {
    return estimates.rows();
  }

  FeatureGoodness goodness(int s) {
    return goodness.get(s);
  }

  /** Returns the features active in a prompt or more, ascending. */
  int[] features(int s) {
    return features.get(s).clone();
  }

  /** Returns their mean effects, in the order of {@link #features}. */
  double[] effects(int s) {
    return IntStream.of(features.get(s))
        .mapToDouble(i -> goodness.get(s).meanEffectNats(i).orElseThrow())
        .toArray();
  }

  /** Returns their scores, in the order of {@link #features}. */
  double[] scores(int s) {
    return IntStream.of(features.get(s)).mapToDouble(i -> goodness.get(s).score(i)).toArray();
  }

  /** Returns the mean of {@link #effects}; NaN without features. */
  Estimate meanEffect(int s) {
    return estimates.ratio(saes.size() + s, s);
  }

  /** Returns the SAEs of which a feature is active in a prompt or more. */
  int[] withFeatures() {
    return IntStream.range(0, saes.size()).filter(s -> features.get(s).length > 0).toArray();
  }

  /**
   * Returns the least-squares slope of the mean effect over the layers of SAEs with active
   * features, nats a layer.
   */
  Estimate slope() {
    int[] some = withFeatures();
    double mean = IntStream.of(some).map(this::layer).average().orElseThrow();
    double squares = IntStream.of(some).mapToDouble(s -> Math.pow(layer(s) - mean, 2)).sum();
    return estimates.of(
        sums -> {
          double product = 0;
          for (int s : some) {
            product += (layer(s) - mean) * sums[saes.size() + s] / sums[s];
          }
          return product / squares;
        });
  }
}
