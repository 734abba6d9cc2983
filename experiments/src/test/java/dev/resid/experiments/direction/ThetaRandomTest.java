package dev.resid.experiments.direction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.sweep.Workers;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Invariant T16. */
class ThetaRandomTest {
  private static final int D = 33;
  private static final int ROWS = 3;
  private static final int LENGTH = 5;
  private static final Workers WORKERS = new Workers(2);

  @AfterAll
  static void close() {
    WORKERS.close();
  }

  private static Tensor random(long seed) {
    float[] values = new float[ROWS * LENGTH * D];
    new CounterRandom(seed).fillNormal(0, 0, values);
    for (int i = 0; i < values.length; i++) {
      values[i] = 3 * values[i] + 1; // not centred, as activations are not
    }
    return Tensor.wrap(Shape.of(Axis.BATCH, ROWS, Axis.POS, LENGTH, Axis.D_MODEL, D), values);
  }

  private static double dot(Tensor a, Tensor b, int row, int pos) {
    double sum = 0;
    for (int c = 0; c < D; c++) {
      sum += (double) a.get(row, pos, c) * b.get(row, pos, c);
    }
    return sum;
  }

  private static double norm(Tensor a, int row, int pos) {
    return Math.sqrt(dot(a, a, row, pos));
  }

  private static double cosine(Tensor a, Tensor b, int row, int pos) {
    return dot(a, b, row, pos) / (norm(a, row, pos) * norm(b, row, pos));
  }

  @ParameterizedTest
  @CsvSource({"0.9, 1", "0.5, 2.5", "0, 1", "-0.7, 0.1", "-1, 3", "0.999999, 1"})
  void cosineAndNormAreThoseAskedFor(double cosine, double ratio) {
    Tensor x = random(1);
    Tensor turned = ThetaRandom.of(cosine, ratio).draw(7, BasePoints.of(x), WORKERS);
    for (int row = 0; row < ROWS; row++) {
      for (int pos = 0; pos < LENGTH; pos++) {
        assertEquals(cosine, cosine(x, turned, row, pos), 1e-6);
        assertEquals(1, norm(turned, row, pos) / (ratio * norm(x, row, pos)), 1e-6);
      }
    }
  }

  @Test
  void whatIsNeitherTurnedNorStretchedKeepsItsBits() {
    Tensor x = random(2);
    assertTrue(ThetaRandom.of(1, 1).draw(7, BasePoints.of(x), WORKERS).sameBits(x));
    assertFalse(ThetaRandom.of(0.99, 1).draw(7, BasePoints.of(x), WORKERS).sameBits(x));
  }

  @Test
  void anglesAndLengthsCanBeThoseOfOtherVectors() {
    Tensor x = random(3);
    Tensor other = random(4);
    for (ThetaRandom.Length length : ThetaRandom.Length.values()) {
      Tensor turned = ThetaRandom.likeThat(other, length).draw(7, BasePoints.of(x), WORKERS);
      Tensor long1 = length == ThetaRandom.Length.OF_BASE ? x : other;
      for (int row = 0; row < ROWS; row++) {
        for (int pos = 0; pos < LENGTH; pos++) {
          assertEquals(cosine(x, other, row, pos), cosine(x, turned, row, pos), 1e-6);
          assertEquals(1, norm(turned, row, pos) / norm(long1, row, pos), 1e-6);
          assertTrue(Math.abs(cosine(other, turned, row, pos)) < 0.999, "random, not the same");
        }
      }
    }
  }

  @Test
  void drawsDependOnSeedRowAndPositionOnly() {
    Tensor x = random(5);
    Tensor all = ThetaRandom.of(0.3, 1).draw(7, BasePoints.of(x), WORKERS);
    Tensor last = x.slice(Axis.BATCH, 2, 3);
    Tensor alone =
        ThetaRandom.of(0.3, 1).draw(7, BasePoints.of(last, 2, new int[] {LENGTH}), WORKERS);
    assertTrue(alone.sameBits(all.slice(Axis.BATCH, 2, 3)));
    assertFalse(ThetaRandom.of(0.3, 1).draw(8, BasePoints.of(x), WORKERS).sameBits(all));
    Tensor same = Tensor.wrap(x.shape(), new float[ROWS * LENGTH * D]).map(v -> 1);
    Tensor turned = ThetaRandom.of(0, 1).draw(7, BasePoints.of(same), WORKERS);
    assertTrue(Math.abs(cosine(turned.at(Axis.BATCH, 0), turned.at(Axis.BATCH, 1), 0)) < 0.9);
  }

  private static double cosine(Tensor a, Tensor b, int pos) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int c = 0; c < D; c++) {
      ab += a.get(pos, c) * b.get(pos, c);
      aa += a.get(pos, c) * a.get(pos, c);
      bb += b.get(pos, c) * b.get(pos, c);
    }
    return ab / Math.sqrt(aa * bb);
  }

  @Test
  void paddingStaysAsItIs() {
    Tensor x = random(6);
    Tensor turned = ThetaRandom.of(0, 1).draw(7, BasePoints.of(x, 0, new int[] {5, 2, 4}), WORKERS);
    assertEquals(x.get(1, 2, 0), turned.get(1, 2, 0));
    assertTrue(x.get(1, 1, 0) != turned.get(1, 1, 0));
  }

  @Test
  void whatHasNoAngleIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> ThetaRandom.of(1.1, 1));
    assertThrows(IllegalArgumentException.class, () -> ThetaRandom.of(0.5, -1));
    assertThrows(IllegalArgumentException.class, () -> ThetaRandom.of(Double.NaN, 1));
    Tensor zeros = Tensor.zeros(random(1).shape());
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class,
            () -> ThetaRandom.of(0.5, 1).draw(1, BasePoints.of(zeros), WORKERS));
    // Whichever row a worker comes to first.
    assertTrue(e.getMessage().matches(".* row \\d+, position 0 .*"), e.getMessage());
  }
}
