package dev.resid.experiments.direction;

import dev.resid.experiments.direction.Direction.CovRandomDifference;
import dev.resid.experiments.direction.Direction.CovRandomMixture;
import dev.resid.experiments.direction.Direction.Fixed;
import dev.resid.experiments.direction.Direction.Isotropic;
import dev.resid.experiments.direction.Direction.Own;
import dev.resid.experiments.direction.Direction.RealDifference;
import dev.resid.experiments.direction.Direction.RealMixture;
import dev.resid.experiments.direction.Direction.SaeError;
import dev.resid.experiments.direction.Direction.SaeFeature;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.experiments.sweep.Workers;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Tensor;

/** Draws the vector of each kind of {@link Direction} and scales it to norm 1. */
final class UnitVectors {
  /** Draws of pool vectors before giving up: a pool of equal vectors has no differences. */
  private static final int ATTEMPTS = 1000;

  /** What a row without a direction has in the place of its vectors. */
  static final double[] NONE = {};

  private static final double SQRT2 = Math.sqrt(2);

  private UnitVectors() {}

  static Tensor of(Direction direction, CounterRandom random, BasePoints base, Workers workers) {
    requireDimension(direction, base);
    int d = base.dimension();
    float[] out = new float[Math.toIntExact(base.shape().elements())];
    RowVectors vectors = vectors(direction, random, base);
    workers.forEach(
        base.rows(),
        row -> {
          double[] raw = vectors.raw(row);
          if (raw == NONE) {
            return;
          }
          for (int pos = 0; pos < base.length(row); pos++) {
            double norm = norm(raw, pos * d, d);
            if (!(norm > 0 && norm < Double.POSITIVE_INFINITY)) {
              throw new IllegalStateException(
                  "the vector of "
                      + direction.name()
                      + " at row "
                      + (base.firstRow() + row)
                      + ", position "
                      + pos
                      + " has length "
                      + norm
                      + "; there is no direction");
            }
            int offset = base.offset(row, pos);
            for (int c = 0; c < d; c++) {
              out[offset + c] = (float) (raw[pos * d + c] / norm);
            }
          }
        });
    return Tensor.wrap(base.shape(), out);
  }

  /** The vectors of one row of a batch. */
  @FunctionalInterface
  interface RowVectors {
    /**
     * Returns the vectors of all positions of a row, one after the other, not normalised, or {@link
     * UnitVectors#NONE}.
     */
    double[] raw(int row);
  }

  /** Returns where the vectors come from; an SAE encodes the whole batch here, at once. */
  private static RowVectors vectors(Direction direction, CounterRandom random, BasePoints base) {
    return switch (direction) {
      case SaeError x -> SaeVectors.errors(x, base);
      case SaeFeature x -> SaeVectors.features(x, random, base);
      default -> row -> raw(direction, random, base, row);
    };
  }

  /**
   * Returns the vectors of all positions of a row before normalisation, one after the other, for
   * directions that need no SAE.
   */
  static double[] raw(Direction direction, CounterRandom random, BasePoints base, int row) {
    return switch (direction) {
      case Isotropic x -> normals(random, DrawKeys.ISOTROPIC, base, row);
      case CovRandomDifference x -> {
        double[] g = shaped(x.activations(), random, DrawKeys.COV_RANDOM_DIFFERENCE, base, row);
        double[] mean = x.activations().mean();
        for (int i = 0; i < g.length; i++) {
          int c = i % mean.length;
          g[i] += mean[c] - base.value(row, i / mean.length, c);
        }
        yield g;
      }
      case CovRandomMixture x -> {
        double[] g = shaped(x.activations(), random, DrawKeys.COV_RANDOM_MIXTURE, base, row);
        for (int i = 0; i < g.length; i++) {
          g[i] *= SQRT2;
        }
        yield g;
      }
      case RealDifference x -> realDifferences(x.activations(), random, base, row);
      case RealMixture x -> realMixtures(x.activations(), random, base, row);
      case Fixed x -> {
        float[] vector = x.vector();
        double[] raw = new double[base.length(row) * vector.length];
        for (int i = 0; i < raw.length; i++) {
          raw[i] = vector[i % vector.length];
        }
        yield raw;
      }
      case Own x -> own(x, random, base, row);
      case SaeError x -> SaeVectors.errors(x, base).raw(row);
      case SaeFeature x -> SaeVectors.features(x, random, base).raw(row);
    };
  }

  /**
   * Returns the pool index that a real difference draws at a row of the batch and a position; the
   * vector there differs from the base point.
   */
  static int pickOne(ActivationPool pool, CounterRandom random, BasePoints base, int row, int pos) {
    int dataRow = base.firstRow() + row;
    long stream = DrawKeys.REAL_DIFFERENCE.stream(dataRow);
    for (int attempt = 0; attempt < ATTEMPTS && pool.size() > 0; attempt++) {
      int i = random.below(pool.size(), stream, pos, attempt);
      if (!pool.isFrom(i, dataRow, pos) && differs(pool, i, base, row, pos)) {
        return i;
      }
    }
    throw noChoice(pool, dataRow, pos);
  }

  /**
   * Returns the two pool indices that a real mixture draws at a row of the batch and a position;
   * their vectors differ.
   */
  static int[] pickTwo(
      ActivationPool pool, CounterRandom random, BasePoints base, int row, int pos) {
    int dataRow = base.firstRow() + row;
    long stream = DrawKeys.REAL_MIXTURE.stream(dataRow);
    for (int attempt = 0; attempt < ATTEMPTS && pool.size() > 0; attempt++) {
      int i = random.below(pool.size(), stream, pos, 2 * attempt);
      int j = random.below(pool.size(), stream, pos, 2 * attempt + 1);
      boolean isBase = pool.isFrom(i, dataRow, pos) || pool.isFrom(j, dataRow, pos);
      if (!isBase && i != j && pool.distance(i, j) > 0) {
        return new int[] {i, j};
      }
    }
    throw noChoice(pool, dataRow, pos);
  }

  private static double[] realDifferences(
      ActivationPool pool, CounterRandom random, BasePoints base, int row) {
    int d = base.dimension();
    double[] raw = new double[base.length(row) * d];
    for (int pos = 0; pos < base.length(row); pos++) {
      int i = pickOne(pool, random, base, row, pos);
      for (int c = 0; c < d; c++) {
        raw[pos * d + c] = (double) pool.value(i, c) - base.value(row, pos, c);
      }
    }
    return raw;
  }

  private static double[] realMixtures(
      ActivationPool pool, CounterRandom random, BasePoints base, int row) {
    int d = base.dimension();
    double[] raw = new double[base.length(row) * d];
    for (int pos = 0; pos < base.length(row); pos++) {
      int[] pair = pickTwo(pool, random, base, row, pos);
      for (int c = 0; c < d; c++) {
        raw[pos * d + c] = (double) pool.value(pair[0], c) - pool.value(pair[1], c);
      }
    }
    return raw;
  }

  private static double[] own(Own direction, CounterRandom random, BasePoints base, int row) {
    int d = base.dimension();
    double[] raw = new double[base.length(row) * d];
    for (int pos = 0; pos < base.length(row); pos++) {
      float[] vector = direction.rule().vector(new DirectionPlace(base, row, pos, random));
      if (vector.length != d) {
        throw new IllegalArgumentException(
            "the rule of "
                + direction.name()
                + " gave "
                + vector.length
                + " numbers at row "
                + (base.firstRow() + row)
                + ", position "
                + pos
                + "; the activations are "
                + base.shape());
      }
      for (int c = 0; c < d; c++) {
        raw[pos * d + c] = vector[c];
      }
    }
    return raw;
  }

  private static double[] shaped(
      Gaussian gaussian, CounterRandom random, DrawKeys key, BasePoints base, int row) {
    double[] z = normals(random, key, base, row);
    double[] g = new double[z.length];
    gaussian.shape(z, base.length(row), g);
    return g;
  }

  private static double[] normals(CounterRandom random, DrawKeys key, BasePoints base, int row) {
    int d = base.dimension();
    double[] z = new double[base.length(row) * d];
    float[] draws = new float[d];
    long stream = key.stream(base.firstRow() + row);
    for (int pos = 0; pos < base.length(row); pos++) {
      random.fillNormal(stream, pos, draws);
      for (int c = 0; c < d; c++) {
        z[pos * d + c] = draws[c];
      }
    }
    return z;
  }

  private static boolean differs(ActivationPool pool, int i, BasePoints base, int row, int pos) {
    for (int c = 0; c < pool.dimension(); c++) {
      if (pool.value(i, c) != base.value(row, pos, c)) {
        return true;
      }
    }
    return false;
  }

  private static double norm(double[] values, int offset, int d) {
    double sum = 0;
    for (int c = 0; c < d; c++) {
      sum += values[offset + c] * values[offset + c];
    }
    return Math.sqrt(sum);
  }

  private static IllegalStateException noChoice(ActivationPool pool, int row, int pos) {
    return new IllegalStateException(
        "found no two different activations for row "
            + row
            + ", position "
            + pos
            + " in a pool of "
            + pool.size()
            + "; use more text");
  }

  private static void requireDimension(Direction direction, BasePoints base) {
    int d =
        switch (direction) {
          case Isotropic x -> base.dimension();
          case Own x -> base.dimension(); // Each vector is checked where it is drawn.
          case CovRandomDifference x -> x.activations().dimension();
          case CovRandomMixture x -> x.activations().dimension();
          case RealDifference x -> x.activations().dimension();
          case RealMixture x -> x.activations().dimension();
          case Fixed x -> x.vector().length;
          case SaeError x -> x.sae().sae().config().dIn();
          case SaeFeature x -> x.sae().sae().config().dIn();
        };
    if (d != base.dimension()) {
      throw new IllegalArgumentException(
          direction.name() + " has dimension " + d + ", the base points are " + base.shape());
    }
  }
}
