package dev.resid.experiments.direction;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.decomposition.chol.CholeskyDecompositionInner_DDRM;

/**
 * A normal distribution N(μ, Σ + ridge·I), sampled as μ + L·z with L·Lᵀ = Σ + ridge·I and z of
 * independent standard normal numbers.
 */
public final class Gaussian {
  /** Vectors multiplied by the factor at a time, so that it is read from memory less often. */
  private static final int TILE = 8;

  private final int d;
  private final double[] mean;

  /** L transposed, row-major: row i holds L[j, i] for j ≥ i, which a product reads in order. */
  private final double[] factor;

  private Gaussian(double[] mean, double[] factor) {
    this.d = mean.length;
    this.mean = mean;
    this.factor = factor;
  }

  /**
   * Returns the distribution with a mean and a covariance.
   *
   * @param mean μ, d values
   * @param covariance Σ, d·d values, row-major and symmetric
   * @param ridge added to the diagonal of Σ; 0.01 in the publication
   * @throws IllegalArgumentException if Σ + ridge·I is not positive definite or the lengths
   *     disagree
   */
  public static Gaussian of(double[] mean, double[] covariance, double ridge) {
    int d = mean.length;
    if (covariance.length != d * d) {
      throw new IllegalArgumentException(
          "the covariance has " + covariance.length + " values, expected " + d + " times " + d);
    }
    DMatrixRMaj matrix = new DMatrixRMaj(d, d, true, covariance.clone());
    for (int i = 0; i < d; i++) {
      matrix.add(i, i, ridge);
    }
    CholeskyDecompositionInner_DDRM cholesky = new CholeskyDecompositionInner_DDRM(true);
    if (!cholesky.decompose(matrix)) {
      throw new IllegalArgumentException(
          "the covariance plus "
              + ridge
              + " on the diagonal is not positive definite; its entries"
              + " are not finite or do not come from real vectors");
    }
    DMatrixRMaj lower = cholesky.getT(null);
    double[] factor = new double[d * d];
    for (int j = 0; j < d; j++) {
      for (int i = 0; i <= j; i++) {
        factor[i * d + j] = lower.get(j, i);
      }
    }
    return new Gaussian(mean.clone(), factor);
  }

  /**
   * Returns the distribution with the mean and the covariance of the vectors added so far.
   *
   * @param covariance at least two vectors
   * @param ridge added to the diagonal
   */
  public static Gaussian of(Covariance covariance, double ridge) {
    return of(covariance.mean(), covariance.matrix(), ridge);
  }

  /**
   * Returns the distribution with the mean and the covariance, divisor n, of the vectors added so
   * far. A covariance that is not positive definite, as that of fewer than d + 1 vectors, is
   * replaced by the nearest matrix that is.
   *
   * @param covariance at least two vectors
   * @source the published notebooks of Giglemiani, Petrova et al. 2024 (arXiv 2409.15019)
   */
  public static Gaussian ofSample(Covariance covariance) {
    double[] matrix = covariance.matrix();
    double factor = (covariance.count() - 1.0) / covariance.count();
    for (int i = 0; i < matrix.length; i++) {
      matrix[i] *= factor;
    }
    return of(covariance.mean(), PositiveDefinite.nearest(matrix, covariance.dimension()), 0);
  }

  /**
   * Returns μ + L·z, a draw from this distribution for z of independent standard normal numbers.
   *
   * @param z d numbers
   */
  public float[] at(float[] z) {
    double[] normal = new double[d];
    for (int c = 0; c < d; c++) {
      normal[c] = z[c];
    }
    double[] shaped = new double[d];
    shape(normal, 1, shaped);
    float[] drawn = new float[d];
    for (int c = 0; c < d; c++) {
      drawn[c] = (float) (mean[c] + shaped[c]);
    }
    return drawn;
  }

  /** Returns the length d of the vectors. */
  public int dimension() {
    return d;
  }

  /** Returns a copy of μ. */
  public double[] mean() {
    return mean.clone();
  }

  /**
   * out[r, :] = L·z[r, :].
   *
   * @param z standard normal numbers, n vectors of d values one after the other
   * @param n number of vectors
   * @param out overwritten
   */
  void shape(double[] z, int n, double[] out) {
    java.util.Arrays.fill(out, 0, n * d, 0);
    for (int first = 0; first < n; first += TILE) {
      int end = Math.min(n, first + TILE);
      for (int i = 0; i < d; i++) {
        int row = i * d;
        for (int r = first; r < end; r++) {
          double zi = z[r * d + i];
          int o = r * d;
          for (int j = i; j < d; j++) {
            out[o + j] += zi * factor[row + j];
          }
        }
      }
    }
  }
}
