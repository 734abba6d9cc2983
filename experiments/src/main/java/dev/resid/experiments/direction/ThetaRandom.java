package dev.resid.experiments.direction;

import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.experiments.sweep.Workers;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;

/**
 * Replaces an activation by a random one at a given angle to it and of a given length:
 *
 * <p>x' = ρ·‖x‖·(c·x̂ + √(1−c²)·u), with x̂ = x/‖x‖ and u a random unit vector perpendicular to x.
 *
 * <p>With c and ρ those of an SAE's reconstruction it answers whether the reconstruction does more
 * than a random vector that is as similar to x. Draws are keyed by (seed, row in the data set,
 * position); sums run in float64.
 *
 * @source Gurnee 2024, "SAE reconstruction errors are (empirically) pathological", the substitution
 *     by a random vector of the same angle
 */
public final class ThetaRandom {
  private final Wanted wanted;

  private ThetaRandom(Wanted wanted) {
    this.wanted = wanted;
  }

  /** Which length the replacement has. */
  public enum Length {
    /** That of x. */
    OF_BASE,
    /** That of the vector whose angle is taken. */
    OF_REPLACEMENT
  }

  /** What to hold at a row of the batch and a position. */
  @FunctionalInterface
  private interface Wanted {
    Turn at(BasePoints base, int row, int pos, double baseNorm);
  }

  /**
   * How one vector is turned and stretched.
   *
   * @param cosine with x
   * @param ratio of the norms
   */
  private record Turn(double cosine, double ratio) {}

  /**
   * Returns the replacement by vectors of one angle and one length relative to x.
   *
   * @param cosine c, from -1 to 1
   * @param ratio ρ, not negative
   * @throws IllegalArgumentException if one of them is out of range
   */
  public static ThetaRandom of(double cosine, double ratio) {
    if (!(Math.abs(cosine) <= 1 && ratio >= 0 && ratio < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "cosine "
              + cosine
              + " must be from -1 to 1, and the ratio of norms "
              + ratio
              + " finite and not negative");
    }
    Turn turn = new Turn(cosine, ratio);
    return new ThetaRandom((base, row, pos, norm) -> turn);
  }

  /**
   * Returns the replacement by vectors whose angle to x is, at every position, that of given
   * vectors, for example of an SAE's reconstructions.
   *
   * @param vectors [batch, pos, d_model], none of length 0
   * @param length which length the replacement has
   */
  public static ThetaRandom likeThat(Tensor vectors, Length length) {
    float[] values = vectors.toArray();
    return new ThetaRandom(
        (base, row, pos, norm) -> {
          if (!base.shape().equals(vectors.shape())) {
            throw new ShapeMismatchException(
                "angles are of " + vectors.shape() + ", the base points are " + base.shape());
          }
          double dot = 0;
          double square = 0;
          for (int c = 0; c < base.dimension(); c++) {
            double value = values[base.offset(row, pos) + c];
            dot += value * base.value(row, pos, c);
            square += value * value;
          }
          double other = Math.sqrt(square);
          requireAngle(other, base, row, pos);
          double cosine = Math.clamp(dot / (norm * other), -1.0, 1.0);
          return new Turn(cosine, length == Length.OF_BASE ? 1 : other / norm);
        });
  }

  /**
   * Returns x' for every position of every row.
   *
   * @param seed same seed, same vectors
   * @param base the activations x
   * @param workers share the rows
   * @return [batch, pos, d_model]; where c = 1 and ρ = 1 the bits of x; padding as in x
   * @throws IllegalStateException if an activation has length 0, so that nothing is at an angle to
   *     it
   * @throws IllegalArgumentException if d_model is 1 and c is not 1 or -1
   */
  public Tensor draw(long seed, BasePoints base, Workers workers) {
    CounterRandom random = new CounterRandom(seed);
    float[] out = base.activation().toArray();
    workers.forEach(
        base.rows(),
        row -> {
          for (int pos = 0; pos < base.length(row); pos++) {
            turn(random, base, row, pos, out);
          }
        });
    return Tensor.wrap(base.shape(), out);
  }

  private void turn(CounterRandom random, BasePoints base, int row, int pos, float[] out) {
    int d = base.dimension();
    double[] x = new double[d];
    double square = 0;
    for (int c = 0; c < d; c++) {
      x[c] = base.value(row, pos, c);
      square += x[c] * x[c];
    }
    double norm = Math.sqrt(square);
    requireAngle(norm, base, row, pos);
    Turn turn = wanted.at(base, row, pos, norm);
    double sine = Math.sqrt(Math.max(0, 1 - turn.cosine() * turn.cosine()));
    double along = turn.ratio() * turn.cosine();
    double across = turn.ratio() * norm * sine;
    double[] u = sine == 0 ? new double[d] : perpendicular(x, square, random, base, row, pos);
    int offset = base.offset(row, pos);
    for (int c = 0; c < d; c++) {
      out[offset + c] = (float) (along * x[c] + across * u[c]);
    }
  }

  /** Returns a random unit vector perpendicular to x. */
  private static double[] perpendicular(
      double[] x, double square, CounterRandom random, BasePoints base, int row, int pos) {
    int d = x.length;
    if (d < 2) {
      throw new IllegalArgumentException("nothing is perpendicular to a vector of one dimension");
    }
    float[] draws = new float[d];
    random.fillNormal(DrawKeys.THETA_RANDOM.stream(base.firstRow() + row), pos, draws);
    double[] u = new double[d];
    for (int c = 0; c < d; c++) {
      u[c] = draws[c];
    }
    // Twice: the first time leaves the rounding of a component that may be large.
    for (int pass = 0; pass < 2; pass++) {
      double dot = 0;
      for (int c = 0; c < d; c++) {
        dot += u[c] * x[c];
      }
      double length = 0;
      for (int c = 0; c < d; c++) {
        u[c] -= dot / square * x[c];
        length += u[c] * u[c];
      }
      length = Math.sqrt(length);
      for (int c = 0; c < d; c++) {
        u[c] /= length;
      }
    }
    return u;
  }

  private static void requireAngle(double norm, BasePoints base, int row, int pos) {
    if (!(norm > 0 && norm < Double.POSITIVE_INFINITY)) {
      throw new IllegalStateException(
          "the vector at row "
              + (base.firstRow() + row)
              + ", position "
              + pos
              + " has length "
              + norm
              + "; nothing is at an angle to it");
    }
  }
}
