package dev.resid.experiments.direction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.sweep.Workers;
import dev.resid.random.CounterRandom;
import org.junit.jupiter.api.Test;

class PositiveDefiniteTest {
  private static final int D = 20;

  @Test
  void aPositiveDefiniteMatrixStaysAsItIs() {
    double[] matrix = covariance(60).matrix();
    assertArrayEquals(matrix, PositiveDefinite.nearest(matrix, D));
  }

  @Test
  void aNegativeEigenvalueBecomesZero() {
    // Eigenvectors (1,1)/√2 and (1,−1)/√2 with values 3 and −1.
    double[] nearest = PositiveDefinite.nearest(new double[] {1, 2, 2, 1}, 2);
    assertArrayEquals(new double[] {1.5, 1.5, 1.5, 1.5}, nearest, 1e-9);
  }

  @Test
  void aSampleOfFewVectorsCanBeDrawnFrom() {
    Covariance few = covariance(8);
    Gaussian gaussian = Gaussian.ofSample(few);
    CounterRandom random = new CounterRandom(3);
    int draws = 4000;
    Covariance drawn = new Covariance(D);
    try (Workers workers = new Workers(1)) {
      for (int i = 0; i < draws; i++) {
        float[] z = new float[D];
        random.fillNormal(i, 9, z);
        drawn.add(gaussian.at(z), 0, 1, workers);
      }
    }
    // Divisor n: 7/8 of the matrix with divisor n − 1.
    double expected = few.trace() * 7 / 8;
    // The trace of n draws of 7 dimensions varies by about √(2/(7n)).
    assertEquals(1, drawn.trace() / expected, 4 * Math.sqrt(2.0 / (7 * draws)) + 0.01);
    double[] mean = drawn.mean();
    for (int c = 0; c < D; c++) {
      assertEquals(few.mean()[c], mean[c], 5 * Math.sqrt(expected / draws));
    }
  }

  @Test
  void numbersThatAreNotFiniteAreRefused() {
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> PositiveDefinite.nearest(new double[] {1, Double.NaN, Double.NaN, 1}, 2))
            .getMessage()
            .contains("NaN"));
  }

  private static Covariance covariance(int vectors) {
    Covariance covariance = new Covariance(D);
    float[] values = new float[vectors * D];
    new CounterRandom(17).fillNormal(vectors, 0, values);
    try (Workers workers = new Workers(1)) {
      covariance.add(values, 0, vectors, workers);
    }
    return covariance;
  }
}
