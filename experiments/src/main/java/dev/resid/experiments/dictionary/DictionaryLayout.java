package dev.resid.experiments.dictionary;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.hook.HookPoint;
import dev.resid.sae.metric.FeatureRemoval.Order;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Where the numbers of a row stand.
 *
 * @param layers blocks of the model
 * @param saes the SAEs
 */
record DictionaryLayout(int layers, List<SaeFacts> saes) {
  /** What is summed over positions of an SAE's error. */
  enum Error {
    /** ‖SAE(x) − x‖². */
    SQUARED,
    /** ‖SAE(x) − x‖²/‖x‖². */
    RELATIVE,
    /** ‖x‖². */
    SQUARED_NORM
  }

  private static final int PARTS = 2;

  /** Returns the layout of a run, from its notes. */
  static DictionaryLayout of(Settings notes) {
    return new DictionaryLayout(Math.toIntExact(notes.whole("layers")), SaeFacts.of(notes));
  }

  RowLayout rows() {
    int orders = Order.values().length;
    return RowLayout.empty()
        .with("count", PARTS)
        .with("clean_ce")
        .with("norm", points().size(), PARTS)
        .with("zero_ce", saes.size())
        .with("l0", saes.size(), orders, removed().length)
        .with("ce", saes.size(), orders, removed().length)
        .with("error", saes.size(), Error.values().length, PARTS);
  }

  /** Returns the points whose norms are measured: the input of every block, then every MLP. */
  List<HookPoint> points() {
    List<HookPoint> points = new ArrayList<>();
    IntStream.range(0, layers).forEach(l -> points.add(HookPoint.residPre(l)));
    IntStream.range(0, layers).forEach(l -> points.add(HookPoint.mlpOut(l)));
    return points;
  }

  /** Returns how many features are removed: none, powers of two, all of the largest SAE. */
  int[] removed() {
    int most = saes.stream().mapToInt(SaeFacts::dSae).max().orElseThrow();
    List<Integer> counts = new ArrayList<>(List.of(0));
    for (int k = 1; k < most; k *= 2) {
      counts.add(k);
    }
    counts.add(most);
    return counts.stream().mapToInt(k -> k).toArray();
  }

  /** Returns how many features of an SAE are removed, at most all. */
  int removed(int sae, int step) {
    return Math.min(removed()[step], saes.get(sae).dSae());
  }

  /** Returns the SAEs that write each point, in the order in which the points come. */
  Map<HookPoint, List<Integer>> byPoint() {
    Map<HookPoint, List<Integer>> points = new LinkedHashMap<>();
    for (int s = 0; s < saes.size(); s++) {
      points.computeIfAbsent(saes.get(s).writes(), p -> new ArrayList<>()).add(s);
    }
    return points;
  }

  /** Returns how many runs from a point a row takes. */
  int continuations() {
    return byPoint().size() + saes.size() * Order.values().length * removed().length;
  }

  /** Returns how many runs of a block a row takes. */
  long blockRuns() {
    int[] runs = {layers};
    byPoint()
        .forEach(
            (point, some) -> {
              int perSae = Order.values().length * removed().length;
              runs[0] += (1 + some.size() * perSae) * (layers - point.layer());
            });
    return runs[0];
  }
}
