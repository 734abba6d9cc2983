package dev.resid.experiments.direction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.sweep.Workers;
import dev.resid.random.CounterRandom;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class CovarianceTest {
  private static final int D = 13;
  private static final int N = 200;

  @Test
  void itIsTheCovarianceOfTheTextbookFormula() {
    float[] x = vectors(N, 5);
    double[] mean = new double[D];
    for (int r = 0; r < N; r++) {
      for (int c = 0; c < D; c++) {
        mean[c] += x[r * D + c] / (double) N;
      }
    }
    double[] expected = new double[D * D];
    for (int r = 0; r < N; r++) {
      for (int i = 0; i < D; i++) {
        for (int j = 0; j < D; j++) {
          expected[i * D + j] += (x[r * D + i] - mean[i]) * (x[r * D + j] - mean[j]) / (N - 1);
        }
      }
    }
    Covariance covariance = inChunks(x, 17);
    assertEquals(N, covariance.count());
    // 200 terms of size 1 to 100 in float64: a few hundred roundings of 1e-14.
    assertArrayEquals(mean, covariance.mean(), 1e-11);
    assertArrayEquals(expected, covariance.matrix(), 1e-11);
    double trace = 0;
    for (int i = 0; i < D; i++) {
      trace += expected[i * D + i];
    }
    assertEquals(trace, covariance.trace(), 1e-10);
  }

  @Test
  void aLargeOffsetDoesNotDestroyTheVariance() {
    float[] near = vectors(N, 0);
    float[] far = near.clone();
    for (int i = 0; i < far.length; i++) {
      far[i] = near[i] + 65536;
    }
    for (int i = 0; i < near.length; i++) {
      near[i] = far[i] - 65536; // what is left of the digits after rounding
    }
    // Σx² − (Σx)²/n would lose 2·log10(65536) = 9.6 of 16 digits.
    assertArrayEquals(inChunks(near, 9).matrix(), inChunks(far, 9).matrix(), 1e-9);
  }

  @Test
  void threadsChangeNoBit() {
    float[] x = vectors(N, 5);
    Covariance one = inChunks(x, 17);
    Covariance many = new Covariance(D);
    try (Workers workers = new Workers(3)) {
      for (int first = 0; first < N; first += 17) {
        many.add(x, first * D, Math.min(17, N - first), workers);
      }
    }
    assertArrayEquals(one.matrix(), many.matrix());
    assertArrayEquals(one.mean(), many.mean());
  }

  @Test
  void mergingPartsIsTheWhole() {
    float[] x = vectors(N, 5);
    Covariance left = new Covariance(D);
    Covariance right = new Covariance(D);
    try (Workers workers = new Workers(1)) {
      left.add(x, 0, 60, workers);
      right.add(x, 60 * D, N - 60, workers);
    }
    left.merge(right);
    assertArrayEquals(inChunks(x, N).matrix(), left.matrix(), 1e-11);
    assertArrayEquals(inChunks(x, N).mean(), left.mean(), 1e-12);
  }

  @Test
  void aWrittenStateGoesOnBitForBit() throws IOException {
    float[] x = vectors(N, 5);
    Covariance first = new Covariance(D);
    try (Workers workers = new Workers(1)) {
      first.add(x, 0, 100, workers);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      first.write(new DataOutputStream(bytes));
      Covariance read =
          Covariance.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
      first.add(x, 100 * D, 100, workers);
      read.add(x, 100 * D, 100, workers);
      assertArrayEquals(first.matrix(), read.matrix());
      assertEquals(200, read.count());
    }
  }

  @Test
  void oneVectorHasNoCovariance() {
    Covariance covariance = new Covariance(2);
    try (Workers workers = new Workers(1)) {
      covariance.add(new float[] {1, 2}, 0, 1, workers);
    }
    String message = assertThrows(IllegalStateException.class, covariance::matrix).getMessage();
    assertTrue(message.contains("at least two vectors, there are 1"), message);
  }

  private static Covariance inChunks(float[] x, int chunk) {
    Covariance covariance = new Covariance(D);
    try (Workers workers = new Workers(1)) {
      for (int first = 0; first < N; first += chunk) {
        covariance.add(x, first * D, Math.min(chunk, N - first), workers);
      }
    }
    return covariance;
  }

  /** Correlated vectors of different scales around {@code offset}. */
  private static float[] vectors(int n, float offset) {
    float[] x = new float[n * D];
    CounterRandom random = new CounterRandom(7);
    for (int r = 0; r < n; r++) {
      random.fillNormal(r, 0, x, r * D, D);
      for (int c = D - 1; c > 0; c--) {
        x[r * D + c] = offset + (1 + c) * (x[r * D + c] + 0.7f * x[r * D + c - 1]);
      }
    }
    return x;
  }
}
