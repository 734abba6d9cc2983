package dev.resid.experiments.direction;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.decomposition.chol.CholeskyDecompositionInner_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * The positive definite matrix nearest to a symmetric one in the Frobenius norm: negative
 * eigenvalues become 0, and then as little as is needed is added to the diagonal.
 *
 * @source Higham 1988, "Computing a nearest symmetric positive semidefinite matrix", theorem 2.1:
 *     (B + H)/2 with the polar factor H of B, which for a symmetric B is B with its negative
 *     eigenvalues at 0
 */
final class PositiveDefinite {
  /** What is added to the diagonal first, against the largest eigenvalue. */
  private static final double FIRST = 1e-14;

  private PositiveDefinite() {}

  /**
   * Returns the matrix itself where it is positive definite, else the nearest one that is.
   *
   * @param matrix d·d values, row-major and symmetric
   * @param d number of rows
   * @throws IllegalArgumentException if an entry is not finite
   */
  static double[] nearest(double[] matrix, int d) {
    for (double value : matrix) {
      if (!Double.isFinite(value)) {
        throw new IllegalArgumentException(
            "the covariance has an entry " + value + "; the activations are not finite");
      }
    }
    if (hasFactor(matrix, d)) {
      return matrix.clone();
    }
    EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(d, true, true);
    if (!eigen.decompose(new DMatrixRMaj(d, d, true, matrix.clone()))) {
      throw new IllegalArgumentException("the eigenvalues of the covariance were not found");
    }
    double[] projected = new double[d * d];
    double largest = 0;
    for (int k = 0; k < d; k++) {
      double value = eigen.getEigenvalue(k).getReal();
      largest = Math.max(largest, value);
      if (value > 0) {
        addOuter(projected, eigen.getEigenVector(k).data, value, d);
      }
    }
    for (int i = 0; i < d; i++) {
      for (int j = 0; j < i; j++) {
        projected[j * d + i] = projected[i * d + j];
      }
    }
    double added = Math.max(FIRST * largest, Double.MIN_NORMAL);
    double[] raised = raised(projected, added, d);
    while (!hasFactor(raised, d)) {
      added *= 10;
      raised = raised(projected, added, d);
    }
    return raised;
  }

  /** sum[i, j] += factor·v_i·v_j for j ≤ i. */
  private static void addOuter(double[] sum, double[] vector, double factor, int d) {
    for (int i = 0; i < d; i++) {
      double left = factor * vector[i];
      for (int j = 0; j <= i; j++) {
        sum[i * d + j] += left * vector[j];
      }
    }
  }

  private static double[] raised(double[] matrix, double added, int d) {
    double[] raised = matrix.clone();
    for (int i = 0; i < d; i++) {
      raised[i * d + i] += added;
    }
    return raised;
  }

  private static boolean hasFactor(double[] matrix, int d) {
    return new CholeskyDecompositionInner_DDRM(true)
        .decompose(new DMatrixRMaj(d, d, true, matrix.clone()));
  }
}
