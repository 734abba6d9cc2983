package dev.resid.experiments.dictionary;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.hook.HookPoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Which SAEs are connected: of each family at each two neighbouring points the one in the middle by
 * L0.
 */
final class ConnectionPairs {
  /** Later features: the most frequent ones. */
  static final int TARGETS = 64;

  /** Of one feature of the earlier SAE. */
  static final RowLayout VALUES =
      RowLayout.empty()
          .with("present")
          .with("active_tokens")
          .with("mean_active")
          .with("largest")
          .with("zeroed", TARGETS)
          .with("where_active", TARGETS)
          .with("raised", TARGETS);

  private ConnectionPairs() {}

  /**
   * Two SAEs.
   *
   * @param from number of the earlier one
   * @param to number of the later one
   * @param targets most frequent features of the later one, at most {@link #TARGETS}
   */
  record Pair(int from, int to, int... targets) {
    /** Returns both names. */
    String name(List<SaeFacts> saes) {
      return saes.get(from).name() + " to " + saes.get(to).name();
    }
  }

  /** Returns the pairs. */
  static List<Pair> of(List<NamedSae> saes, FeatureCounts counts) {
    List<Pair> pairs = new ArrayList<>();
    for (Map<HookPoint, List<Integer>> points : families(saes).values()) {
      List<Integer> middles = points.values().stream().map(some -> middle(some, counts)).toList();
      for (int i = 1; i < middles.size(); i++) {
        int from = middles.get(i - 1);
        int to = middles.get(i);
        if (follows(saes.get(from), saes.get(to))) {
          pairs.add(new Pair(from, to, counts.mostFrequent(to, TARGETS)));
        }
      }
    }
    return pairs;
  }

  private static Map<String, Map<HookPoint, List<Integer>>> families(List<NamedSae> saes) {
    Map<String, Map<HookPoint, List<Integer>>> families = new LinkedHashMap<>();
    for (int s = 0; s < saes.size(); s++) {
      families
          .computeIfAbsent(saes.get(s).family(), f -> new TreeMap<>())
          .computeIfAbsent(saes.get(s).sae().config().point(), p -> new ArrayList<>())
          .add(s);
    }
    return families;
  }

  private static boolean follows(NamedSae from, NamedSae to) {
    return from.sae().config().outputPoint().isBefore(to.sae().config().point());
  }

  private static int middle(List<Integer> saes, FeatureCounts counts) {
    return saes.stream()
        .sorted(
            Comparator.comparingLong(
                (Integer s) ->
                    IntStream.of(counts.alive(s)).mapToLong(f -> counts.active(s)[f]).sum()))
        .toList()
        .get((saes.size() - 1) / 2);
  }

  /** Returns how many pairs there are. */
  static int count(List<NamedSae> saes) {
    int pairs = 0;
    for (Map<HookPoint, List<Integer>> points : families(saes).values()) {
      List<Integer> firsts = points.values().stream().map(List::getFirst).toList();
      for (int i = 1; i < firsts.size(); i++) {
        pairs += follows(saes.get(firsts.get(i - 1)), saes.get(firsts.get(i))) ? 1 : 0;
      }
    }
    return pairs;
  }

  /** Adds pairs to the notes of a run. */
  static Settings addTo(List<Pair> pairs, Settings notes) {
    notes.with("connected", pairs.size());
    for (int p = 0; p < pairs.size(); p++) {
      notes
          .with("connected_" + p + "_from", pairs.get(p).from())
          .with("connected_" + p + "_to", pairs.get(p).to())
          .with(
              "connected_" + p + "_targets",
              Arrays.stream(pairs.get(p).targets()).asDoubleStream().toArray());
    }
    return notes;
  }

  /** Returns the pairs of a run, from its notes. */
  static List<Pair> of(Settings notes) {
    List<Pair> pairs = new ArrayList<>();
    for (int p = 0; p < notes.whole("connected"); p++) {
      pairs.add(
          new Pair(
              Math.toIntExact(notes.whole("connected_" + p + "_from")),
              Math.toIntExact(notes.whole("connected_" + p + "_to")),
              Arrays.stream(notes.numbers("connected_" + p + "_targets"))
                  .mapToInt(t -> (int) t)
                  .toArray()));
    }
    return pairs;
  }

  /** Returns in words how much is to do. */
  static String plan(DictionaryOptions options) {
    return String.format(
        Locale.ROOT,
        "connections of %,d features in each of %,d pairs of SAEs over %,d rows, each"
            + " without the feature and with it everywhere",
        options.features(),
        count(options.saes()),
        options.firstRows().rows());
  }
}
