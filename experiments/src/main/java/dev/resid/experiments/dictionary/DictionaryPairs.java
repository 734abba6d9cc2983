package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.DictionaryOptions.Atoms;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.progress.Progress;
import dev.resid.random.CounterRandom;
import dev.resid.sae.dictionary.Dictionary;
import dev.resid.sae.dictionary.Matches;
import dev.resid.sae.dictionary.MaxCosineSimilarity;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The largest cosines between the directions of every two SAEs. */
final class DictionaryPairs {
  /** Cosines above this count as the same direction. */
  static final double SAME = 0.9;

  private final List<Pair> pairs;

  private DictionaryPairs(List<Pair> pairs) {
    this.pairs = List.copyOf(pairs);
  }

  /**
   * What the directions of one SAE find in another one.
   *
   * @param from number of the SAE whose directions are matched
   * @param to number of the SAE that they are matched with
   * @param atomsFrom how many directions are matched
   * @param atomsTo how many there are to match with
   * @param plain each direction with the nearest one; within one SAE with the nearest other one
   * @param assigned the smaller dictionary into the larger one, no partner twice; none within one
   *     SAE or where the dictionaries are too large
   * @param random mean largest cosine of as many random directions with those of {@code to}
   */
  record Pair(
      int from,
      int to,
      int atomsFrom,
      int atomsTo,
      Matches plain,
      Optional<Matches> assigned,
      double random) {}

  /** Compares every SAE with itself and every other one of the same width, both ways. */
  static DictionaryPairs of(
      DictionaryOptions options, FeatureCounts counts, Backend backend, Progress progress) {
    List<NamedSae> saes = options.saes();
    List<Dictionary> all = new ArrayList<>();
    for (int s = 0; s < saes.size(); s++) {
      Dictionary whole = Dictionary.decoderOf(saes.get(s).sae());
      all.add(options.atoms() == Atoms.ALL ? whole : whole.only(counts.alive(s)));
    }
    List<Pair> pairs = new ArrayList<>();
    int n = saes.size();
    Matches[][] assigned = new Matches[n][n];
    try (Progress.Task task = progress.begin("cosines", "pairs", 0, (long) n * n)) {
      for (int a = 0; a < n; a++) {
        for (int b = 0; b < n; b++) {
          Dictionary from = all.get(a);
          Dictionary to = all.get(b);
          if (from.width() == to.width() && from.size() > 1 && to.size() > 1) {
            Matches plain =
                a == b
                    ? MaxCosineSimilarity.within(from, backend)
                    : MaxCosineSimilarity.plain(from, to, backend);
            if (a < b && Math.max(from.size(), to.size()) <= options.assignedAtMost()) {
              assigned[a][b] =
                  from.size() <= to.size()
                      ? MaxCosineSimilarity.oneToOne(from, to, backend)
                      : MaxCosineSimilarity.oneToOne(to, from, backend);
              assigned[b][a] = assigned[a][b];
            }
            Dictionary random = random(from.size(), from.width(), options.seed());
            pairs.add(
                new Pair(
                    a,
                    b,
                    from.size(),
                    to.size(),
                    plain,
                    Optional.ofNullable(assigned[a][b]),
                    MaxCosineSimilarity.plain(random, to, backend).mean()));
          }
          task.advanceTo((long) a * n + b + 1);
        }
      }
    }
    return new DictionaryPairs(pairs);
  }

  /** Adds to the notes of a run what was found. */
  Settings addTo(Settings notes) {
    notes.with("pairs", pairs.size());
    for (int i = 0; i < pairs.size(); i++) {
      Pair pair = pairs.get(i);
      notes.with("pair_" + i, pair.from(), pair.to(), pair.atomsFrom(), pair.atomsTo());
      notes.with("pair_" + i + "_random", pair.random());
      add(notes, "pair_" + i + "_plain", pair.plain());
      int number = i;
      pair.assigned().ifPresent(found -> add(notes, "pair_" + number + "_assigned", found));
    }
    return notes;
  }

  private static void add(Settings notes, String name, Matches matches) {
    notes
        .with(name, matches.cosines())
        .with(name + "_features", Arrays.stream(matches.features()).asDoubleStream().toArray())
        .with(name + "_partners", Arrays.stream(matches.partners()).asDoubleStream().toArray());
  }

  /** Returns what was found in a run, from its notes. */
  static DictionaryPairs of(Settings notes) {
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < notes.whole("pairs"); i++) {
      double[] sizes = notes.numbers("pair_" + i);
      String assigned = "pair_" + i + "_assigned";
      pairs.add(
          new Pair(
              (int) sizes[0],
              (int) sizes[1],
              (int) sizes[2],
              (int) sizes[3],
              matches(notes, "pair_" + i + "_plain"),
              notes.has(assigned) ? Optional.of(matches(notes, assigned)) : Optional.empty(),
              notes.number("pair_" + i + "_random")));
    }
    return new DictionaryPairs(pairs);
  }

  private static Matches matches(Settings notes, String name) {
    return new Matches(
        Arrays.stream(notes.numbers(name + "_features")).mapToInt(v -> (int) v).toArray(),
        Arrays.stream(notes.numbers(name + "_partners")).mapToInt(v -> (int) v).toArray(),
        notes.numbers(name));
  }

  /** Returns isotropic random directions. */
  private static Dictionary random(int size, int width, long seed) {
    CounterRandom random = new CounterRandom(seed);
    float[] values = new float[Math.multiplyExact(size, width)];
    float[] one = new float[width];
    for (int i = 0; i < size; i++) {
      random.fillNormal(DrawKeys.DICTIONARY_RANDOM.stream(i), 0, one);
      System.arraycopy(one, 0, values, i * width, width);
    }
    return Dictionary.of(Tensor.wrap(Shape.of(Axis.ROW, size, Axis.IN, width), values));
  }

  /** Returns all pairs, both ways, each SAE with itself included. */
  List<Pair> all() {
    return pairs;
  }

  /** Returns what one SAE finds in another one, if they have the same width. */
  Optional<Pair> get(int from, int to) {
    return pairs.stream().filter(p -> p.from() == from && p.to() == to).findFirst();
  }
}
