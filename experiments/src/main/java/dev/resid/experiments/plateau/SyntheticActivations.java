package dev.resid.experiments.plateau;

import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Activations that are put together from the features of an SAE. Replaced features go into a fresh
 * vector, so that none overwrites another, unless a variant asks for the published quirk.
 *
 * @source Giglemiani, Petrova et al. 2024 (arXiv 2409.15019), section 2, with the numbers of the
 *     published notebooks
 */
final class SyntheticActivations {
  /** Features near in density that a baseline draws from. */
  static final int BASELINE_POOL = 10;

  /** Features near in density among which the strongest one's replacement is sought. */
  static final int STRUCTURED_POOL = 100;

  /** Cosine wanted between the strongest feature and its replacement. */
  static final double WANTED_COSINE = 0.42;

  /** Single features that are decoded at a time. */
  private static final int TRIED_AT_ONCE = 32;

  private final Sae sae;
  private final FeatureTable table;
  private final Scale.Values scale;
  private final double wantedDistance;
  private final PlateauVariants variants;
  private final CounterRandom random;

  /**
   * Active features of one activation.
   *
   * @param indices ascending
   * @param values of the same order
   */
  record Features(int[] indices, float[] values) {}

  /**
   * Prepares draws.
   *
   * @param sae encodes and decodes
   * @param table what is known about its features
   * @param scale value and margin of single features
   * @param wantedDistance of single features from the base
   * @param variants what differs from the paper
   * @param seed of all draws
   */
  SyntheticActivations(
      Sae sae,
      FeatureTable table,
      Scale.Values scale,
      double wantedDistance,
      PlateauVariants variants,
      long seed) {
    this.sae = sae;
    this.table = table;
    this.scale = scale;
    this.wantedDistance = wantedDistance;
    this.variants = variants;
    this.random = new CounterRandom(seed);
  }

  /** Returns what the SAE makes of an activation. */
  float[] reconstruction(float[] activation) {
    return sae.reconstruct(FeatureTable.stack(activation)).toArray();
  }

  /** Returns the active features of an activation. */
  Features encode(float[] activation) {
    SparseFeatures found = sae.encode(FeatureTable.stack(activation));
    return new Features(
        Arrays.copyOf(found.indices(), found.count(0)),
        Arrays.copyOf(found.values(), found.count(0)));
  }

  /**
   * Returns the activation of some features.
   *
   * @param features any order
   * @param base from whose row a normalisation is taken, where it depends on the row
   */
  float[] decode(Features features, float[] base) {
    return sae.decode(sparse(features), FeatureTable.stack(base)).toArray();
  }

  private SparseFeatures sparse(Features features) {
    int n = features.indices().length;
    Integer[] order = new Integer[n];
    Arrays.setAll(order, k -> k);
    Arrays.sort(order, (a, b) -> Integer.compare(features.indices()[a], features.indices()[b]));
    int[] indices = new int[n];
    float[] values = new float[n];
    for (int k = 0; k < n; k++) {
      indices[k] = features.indices()[order[k]];
      values[k] = features.values()[order[k]];
    }
    return new SparseFeatures(
        Shape.of(Axis.BATCH, 1), table.size(), new long[] {0, n}, indices, values);
  }

  /**
   * Returns one alive feature, decoded, at about the wanted distance from the base: the first that
   * is, in an order drawn for the prompt; if none is, the one that comes nearest.
   *
   * @param prompt key of the draw
   * @param base the base's activation
   */
  float[] singleFeature(int prompt, float[] base) {
    int[] alive = requireAlive(1);
    int[] order =
        random.permutation(alive.length, DrawKeys.PLATEAU_SINGLE_FEATURE.stream(prompt), 0);
    float[] best = base;
    double nearest = Double.POSITIVE_INFINITY;
    for (int from = 0; from < order.length; from += TRIED_AT_ONCE) {
      int n = Math.min(TRIED_AT_ONCE, order.length - from);
      float[] decoded = decodeSingles(alive, order, from, n, base);
      int d = base.length;
      for (int k = 0; k < n; k++) {
        float[] candidate = Arrays.copyOfRange(decoded, k * d, (k + 1) * d);
        double off = Math.abs(Regime.distance(base, candidate) - wantedDistance);
        if (off <= scale.featureMargin()) {
          return candidate;
        }
        if (off < nearest) {
          nearest = off;
          best = candidate;
        }
      }
    }
    return best;
  }

  private float[] decodeSingles(int[] alive, int[] order, int from, int n, float[] base) {
    long[] starts = new long[n + 1];
    int[] indices = new int[n];
    float[] values = new float[n];
    float[][] rows = new float[n][];
    for (int k = 0; k < n; k++) {
      starts[k + 1] = k + 1;
      indices[k] = alive[order[from + k]];
      values[k] = (float) scale.featureValue();
      rows[k] = base;
    }
    Tensor x = FeatureTable.stack(rows);
    return sae.decode(
            new SparseFeatures(Shape.of(Axis.BATCH, n), table.size(), starts, indices, values), x)
        .toArray();
  }

  /**
   * Returns features with each one replaced by a random alive one of the same value, none twice.
   *
   * @param prompt key of the draw
   * @param features of the base
   */
  Features bag(int prompt, Features features) {
    int n = features.indices().length;
    int[] alive = requireAlive(n);
    BitSet chosen = new BitSet(table.size());
    int[] replaced = new int[n];
    int draw = 0;
    for (int k = 0; k < n; k++) {
      do {
        replaced[k] =
            alive[random.below(alive.length, DrawKeys.PLATEAU_BAG.stream(prompt), 0, draw)];
        draw++;
      } while (chosen.get(replaced[k]));
      chosen.set(replaced[k]);
    }
    return new Features(replaced, features.values());
  }

  private int[] requireAlive(int least) {
    int[] alive = table.alive();
    if (alive.length < least) {
      throw new IllegalArgumentException(
          "the SAE has "
              + alive.length
              + " alive features, "
              + least
              + " are needed; use more text, or leave out the targets that draw alive features");
    }
    return alive;
  }

  /**
   * Returns features with each one replaced by one of the ten free ones nearest to it in density,
   * or of the pool that a variant asks for.
   *
   * @param prompt key of the draw
   * @param features of the base
   */
  Features baseline(int prompt, Features features) {
    requireRoom(features);
    BitSet chosen = new BitSet(table.size());
    int[] replaced = new int[features.indices().length];
    for (int k = 0; k < replaced.length; k++) {
      int[] near = pool(features.indices()[k], chosen);
      replaced[k] = near[random.below(near.length, DrawKeys.PLATEAU_BASELINE.stream(prompt), 0, k)];
      chosen.set(replaced[k]);
    }
    Features fresh = new Features(replaced, features.values());
    return switch (variants.placing()) {
      case FRESH -> fresh;
      case IN_PLACE -> withoutCleared(features.indices(), fresh);
    };
  }

  private int[] pool(int feature, BitSet chosen) {
    return variants.densityPool().decades().isPresent()
        ? table.withinDecades(feature, variants.densityPool().decades().getAsDouble(), chosen)
        : table.nearestInDensity(feature, BASELINE_POOL, chosen);
  }

  /**
   * Leaves out the replacements that stand where a feature is cleared after them: the k-th is lost
   * if it is a feature whose own turn comes later.
   */
  private static Features withoutCleared(int[] turns, Features replaced) {
    int n = turns.length;
    int[] kept =
        IntStream.range(0, n)
            .filter(k -> Arrays.binarySearch(turns, k + 1, n, replaced.indices()[k]) < 0)
            .toArray();
    int[] indices = new int[kept.length];
    float[] values = new float[kept.length];
    for (int k = 0; k < kept.length; k++) {
      indices[k] = replaced.indices()[kept[k]];
      values[k] = replaced.values()[kept[k]];
    }
    return new Features(indices, values);
  }

  /**
   * Returns features with the strongest one, t, replaced by t' of about the same density and a
   * cosine to t near 0.42, and each one replaced by the free one whose cosine with t' is nearest to
   * its own with t.
   *
   * @param features of the base
   */
  Features structured(Features features) {
    return structured(features, this::replacement);
  }

  /**
   * As {@link #structured}, with the feature nearest to t in density as t', whatever its cosine:
   * version 1 of the publication, which is not in the paper's figures.
   *
   * @param features of the base
   */
  Features structuredByDensity(Features features) {
    return structured(features, t -> table.nearestInDensity(t, 1, new BitSet())[0]);
  }

  private Features structured(Features features, IntUnaryOperator replacementOf) {
    int n = features.indices().length;
    if (n == 0) {
      return features;
    }
    requireRoom(features);
    int strongest = features.indices()[strongest(features.values())];
    int replacement = replacementOf.applyAsInt(strongest);
    double[] cosines = new double[table.size()];
    for (int j = 0; j < cosines.length; j++) {
      cosines[j] = table.cosine(replacement, j);
    }
    BitSet chosen = new BitSet(table.size());
    int[] replaced = new int[n];
    for (int k = 0; k < n; k++) {
      int feature = features.indices()[k];
      double wanted = feature == strongest ? 1 : table.cosine(strongest, feature);
      int best = -1;
      for (int j = chosen.nextClearBit(0); j < cosines.length; j = chosen.nextClearBit(j + 1)) {
        if (best < 0 || Math.abs(cosines[j] - wanted) < Math.abs(cosines[best] - wanted)) {
          best = j;
        }
      }
      replaced[k] = best;
      chosen.set(best);
    }
    return new Features(replaced, features.values());
  }

  /** Returns t' for t: of the 100 features nearest in density the one nearest to the cosine. */
  int replacement(int strongest) {
    int best = -1;
    double off = Double.POSITIVE_INFINITY;
    for (int j : table.nearestInDensity(strongest, STRUCTURED_POOL, new BitSet())) {
      double distance = Math.abs(table.cosine(strongest, j) - WANTED_COSINE);
      if (distance < off) {
        off = distance;
        best = j;
      }
    }
    return best;
  }

  private static int strongest(float[] values) {
    int best = 0;
    for (int k = 1; k < values.length; k++) {
      best = values[k] > values[best] ? k : best;
    }
    return best;
  }

  private void requireRoom(Features features) {
    if (features.indices().length >= table.size()) {
      throw new IllegalArgumentException(
          "all "
              + table.size()
              + " features of the SAE are active at once, so that none can be replaced by another");
    }
  }
}
