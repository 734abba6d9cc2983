package dev.resid.experiments.substitution;

import dev.resid.experiments.activations.StatisticsPass;
import dev.resid.experiments.direction.ActivationPool;
import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.Direction;
import dev.resid.experiments.direction.Gaussian;
import dev.resid.experiments.direction.ThetaRandom;
import dev.resid.experiments.direction.ThetaRandom.Length;
import dev.resid.experiments.sweep.Workers;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;

/** Makes what replaces the activations of some rows at one point. */
final class Replacements {
  private final Gaussian gaussian;
  private final ActivationPool pool;
  private final double[] mean;
  private final double[] meanWithFirst;
  private final long seed;
  private final Workers workers;

  private Replacements(
      Gaussian gaussian,
      ActivationPool pool,
      double[] mean,
      double[] meanWithFirst,
      long seed,
      Workers workers) {
    this.gaussian = gaussian;
    this.pool = pool;
    this.mean = mean;
    this.meanWithFirst = meanWithFirst;
    this.seed = seed;
    this.workers = workers;
  }

  /** Returns the replacements at the point of a finished walk. */
  static Replacements of(
      StatisticsPass pass, SubstitutionOptions options, Arena arena, Workers workers)
      throws IOException {
    return new Replacements(
        Gaussian.of(pass.covariance(), options.ridge()),
        pass.pool(arena),
        pass.covariance().mean(),
        pass.meanWithFirst(),
        options.seed(),
        workers);
  }

  /**
   * Returns what replaces x.
   *
   * @param substitute what it is
   * @param x [batch, pos, d_model]
   * @param base the same with the rows of the data
   * @param reconstruction SAE(x); not used by what needs no SAE
   * @return [batch, pos, d_model]
   */
  Tensor of(Substitute substitute, Tensor x, BasePoints base, Tensor reconstruction) {
    return switch (substitute) {
      case RECONSTRUCTION -> reconstruction;
      case ISOTROPIC -> moved(Direction.isotropic(), x, base, reconstruction);
      case COV_RANDOM_MIXTURE ->
          moved(Direction.covRandomMixture(gaussian), x, base, reconstruction);
      case REAL_MIXTURE -> moved(Direction.realMixture(pool), x, base, reconstruction);
      case NORM_CORRECTED -> scaled(reconstruction, x);
      case NORM_ONLY -> scaled(x, reconstruction);
      case THETA_RANDOM ->
          ThetaRandom.likeThat(reconstruction, Length.OF_BASE).draw(seed, base, workers);
      case THETA_RANDOM_SAE_NORM ->
          ThetaRandom.likeThat(reconstruction, Length.OF_REPLACEMENT).draw(seed, base, workers);
      case ZERO -> x.times(0);
      case MEAN -> everywhere(mean, x);
      case MEAN_WITH_FIRST -> everywhere(meanWithFirst, x);
    };
  }

  /** Returns x + ε·d, with ε the distance of the reconstruction at each position. */
  private Tensor moved(Direction direction, Tensor x, BasePoints base, Tensor reconstruction) {
    float[] unit = direction.draw(seed, base, workers).toArray();
    float[] from = x.toArray();
    float[] to = reconstruction.toArray();
    int d = x.shape().last();
    float[] out = new float[from.length];
    for (int at = 0; at < out.length; at += d) {
      double epsilon = distance(from, to, at, d);
      for (int i = at; i < at + d; i++) {
        out[i] = (float) (from[i] + epsilon * unit[i]);
      }
    }
    return Tensor.wrap(x.shape(), out);
  }

  private static double distance(float[] a, float[] b, int offset, int d) {
    double sum = 0;
    for (int i = offset; i < offset + d; i++) {
      double difference = (double) a[i] - b[i];
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }

  /** Returns directions of one tensor with the norms of another; 0 where there is no direction. */
  private static Tensor scaled(Tensor direction, Tensor norms) {
    float[] values = direction.toArray();
    float[] lengths = norms.toArray();
    int d = direction.shape().last();
    float[] zero = new float[values.length];
    for (int at = 0; at < values.length; at += d) {
      double mine = distance(values, zero, at, d);
      double factor = mine == 0 ? 0 : distance(lengths, zero, at, d) / mine;
      for (int i = at; i < at + d; i++) {
        values[i] = (float) (values[i] * factor);
      }
    }
    return Tensor.wrap(direction.shape(), values);
  }

  private static Tensor everywhere(double[] vector, Tensor x) {
    float[] out = new float[Math.toIntExact(x.elements())];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) vector[i % vector.length];
    }
    return Tensor.wrap(x.shape(), out);
  }
}
