package dev.resid.experiments.plateau;

import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.IntStream;

/** What is known about the features of an SAE: how often they are active, and their directions. */
final class FeatureTable {
  private static final int ENCODED_AT_ONCE = 256;

  private final double[] densities;
  private final int[] alive;
  private final float[] decoder;
  private final double[] norms;
  private final int width;

  /**
   * Creates a table.
   *
   * @param sae whose decoder rows are the directions
   * @param densities part of the positions at which each feature is active, [d_sae]
   * @param alive features that are ever active
   */
  FeatureTable(Sae sae, double[] densities, BitSet alive) {
    this.densities = densities.clone();
    this.alive = alive.stream().toArray();
    Tensor rows = sae.weights().get(SaeWeight.W_dec);
    this.decoder = rows.toArray();
    this.width = rows.shape().last();
    this.norms = new double[densities.length];
    for (int i = 0; i < norms.length; i++) {
      norms[i] = Math.sqrt(dot(i, i));
    }
  }

  /**
   * Returns the table of an SAE.
   *
   * @param sae with or without densities
   * @param activations at which densities are measured if it has none, [prompt][d_model]
   */
  static FeatureTable of(PlateauSae sae, float[][] activations) {
    Sae plain = sae.named().sae();
    int dSae = plain.config().dSae();
    double[] densities = new double[dSae];
    BitSet alive = new BitSet(dSae);
    if (sae.logFrequencies().isPresent()) {
      float[] logs = sae.logFrequencies().get();
      for (int i = 0; i < dSae; i++) {
        densities[i] = Math.pow(10, logs[i]);
        alive.set(i, logs[i] > PlateauSae.DEAD);
      }
      return new FeatureTable(plain, densities, alive);
    }
    for (int from = 0; from < activations.length; from += ENCODED_AT_ONCE) {
      int to = Math.min(activations.length, from + ENCODED_AT_ONCE);
      SparseFeatures features = plain.encode(stack(Arrays.copyOfRange(activations, from, to)));
      for (int at = 0; at < features.count(); at++) {
        densities[features.indices()[at]]++;
        alive.set(features.indices()[at]);
      }
    }
    for (int i = 0; i < dSae; i++) {
      densities[i] /= activations.length;
    }
    return new FeatureTable(plain, densities, alive);
  }

  /**
   * Returns the mean over activations of the Euclidean norm of their feature values.
   *
   * @param sae encodes
   * @param activations [prompt][d_model]
   */
  static double meanFeatureNorm(Sae sae, float[][] activations) {
    double sum = 0;
    for (int from = 0; from < activations.length; from += ENCODED_AT_ONCE) {
      int to = Math.min(activations.length, from + ENCODED_AT_ONCE);
      SparseFeatures features = sae.encode(stack(Arrays.copyOfRange(activations, from, to)));
      int at = 0;
      for (int row = 0; row < to - from; row++) {
        double squares = 0;
        for (int end = at + features.count(row); at < end; at++) {
          squares += (double) features.values()[at] * features.values()[at];
        }
        sum += Math.sqrt(squares);
      }
    }
    return sum / activations.length;
  }

  /** Returns vectors as [batch, d_model]. */
  static Tensor stack(float[]... vectors) {
    int d = vectors[0].length;
    float[] all = new float[vectors.length * d];
    for (int r = 0; r < vectors.length; r++) {
      System.arraycopy(vectors[r], 0, all, r * d, d);
    }
    return Tensor.wrap(Shape.of(Axis.BATCH, vectors.length, Axis.D_MODEL, d), all);
  }

  /** Returns the number of features. */
  int size() {
    return densities.length;
  }

  /** Returns the features that are ever active, ascending. */
  int[] alive() {
    return alive.clone();
  }

  /** Returns how often a feature is active. */
  double density(int feature) {
    return densities[feature];
  }

  /**
   * Returns the features nearest in density, nearest first; of equally near ones the lower index.
   *
   * @param feature to which; never among the result
   * @param count how many, fewer if there are not so many
   * @param excluded never among the result
   */
  int[] nearestInDensity(int feature, int count, BitSet excluded) {
    int[] nearest = new int[count];
    int n = 0;
    for (int j = 0; j < densities.length; j++) {
      if (j == feature || excluded.get(j)) {
        continue;
      }
      double distance = Math.abs(densities[j] - densities[feature]);
      int at = n;
      while (at > 0 && distance < Math.abs(densities[nearest[at - 1]] - densities[feature])) {
        at--;
      }
      if (at < count) {
        int moved = Math.min(n, count - 1) - at;
        System.arraycopy(nearest, at, nearest, at + 1, moved);
        nearest[at] = j;
        n = Math.min(n + 1, count);
      }
    }
    return Arrays.copyOf(nearest, n);
  }

  /**
   * Returns the features whose log10 density differs by less than a number, ascending; the nearest
   * in density alone if there is none.
   *
   * @param feature to which; never among the result
   * @param decades allowed difference of log10 densities
   * @param excluded never among the result
   */
  int[] withinDecades(int feature, double decades, BitSet excluded) {
    double own = Math.log10(densities[feature]);
    int[] near =
        IntStream.range(0, densities.length)
            .filter(j -> j != feature && !excluded.get(j))
            .filter(j -> Math.abs(Math.log10(densities[j]) - own) < decades)
            .toArray();
    return near.length > 0 ? near : nearestInDensity(feature, 1, excluded);
  }

  /** Returns the cosine of two features' directions; 0 if one has no length. */
  double cosine(int one, int other) {
    double product = norms[one] * norms[other];
    return product == 0 ? 0 : dot(one, other) / product;
  }

  private double dot(int one, int other) {
    double sum = 0;
    for (int c = 0; c < width; c++) {
      sum += (double) decoder[one * width + c] * decoder[other * width + c];
    }
    return sum;
  }
}
