package dev.resid.experiments.plateau;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.random.CounterRandom;
import org.junit.jupiter.api.Test;

class RegimeTest {
  private static final int D = 48;

  /** T21 of the definitions. */
  @Test
  void relativeStepsLeadFromTheStartToTheTarget() {
    float[] start = vector(1, 30);
    float[] target = vector(2, 0.7);
    assertArrayEquals(start, point(Regime.RELATIVE, start, target, 0, 1));
    assertArrayEquals(target, point(Regime.RELATIVE, start, target, 99, 1));
    double whole = Regime.distance(start, target);
    for (int n = 0; n < Regime.POINTS; n++) {
      float[] at = point(Regime.RELATIVE, start, target, n, 1);
      assertEquals(whole * n / 99, Regime.distance(start, at), 1e-5 * whole);
      assertEquals(whole * (99 - n) / 99, Regime.distance(at, target), 1e-5 * whole);
    }
    assertEquals(100, Regime.RELATIVE.kept(whole, 0.5));
  }

  /** T21 of the definitions. */
  @Test
  void absoluteStepsHaveOneLength() {
    float[] start = vector(3, 5);
    float[] target = vector(4, 5);
    double whole = Regime.distance(start, target);
    for (int n = 0; n < Regime.POINTS; n++) {
      float[] at = point(Regime.ABSOLUTE, start, target, n, 0.5);
      // float32 values of about 15 in 48 dimensions.
      assertEquals(0.5 * n, Regime.distance(start, at), 2e-5);
      assertEquals(Math.abs(whole - 0.5 * n), Regime.distance(at, target), 2e-5);
    }
  }

  /** T21 of the definitions. */
  @Test
  void onlyPointsBeforeTheTargetAreKept() {
    assertEquals(80, Regime.ABSOLUTE.kept(40.2, 0.5));
    assertEquals(100, Regime.ABSOLUTE.kept(50.1, 0.5));
    assertEquals(100, Regime.ABSOLUTE.kept(5000, 0.5));
    assertEquals(0, Regime.ABSOLUTE.kept(0.49, 0.5));
  }

  @Test
  void aTargetAtTheStartIsNoDirection() {
    float[] start = vector(5, 2);
    assertArrayEquals(start, point(Regime.ABSOLUTE, start, start, 7, 0.5));
  }

  @Test
  void namesAreReadBack() {
    for (Regime regime : Regime.values()) {
      assertEquals(regime, Regime.of(regime.word()));
    }
    for (TargetKind kind : TargetKind.values()) {
      assertEquals(kind, TargetKind.of(kind.word()));
    }
    assertThrows(IllegalArgumentException.class, () -> Regime.of("cubic"));
    assertThrows(IllegalArgumentException.class, () -> TargetKind.of("real"));
  }

  private static float[] point(Regime regime, float[] start, float[] target, int n, double step) {
    float[] out = new float[D + 2];
    regime.point(start, target, n, step, out, 1);
    assertEquals(0, out[0]);
    assertEquals(0, out[D + 1]);
    return java.util.Arrays.copyOfRange(out, 1, D + 1);
  }

  private static float[] vector(int stream, double scale) {
    float[] values = new float[D];
    new CounterRandom(6).fillNormal(stream, 0, values);
    for (int c = 0; c < D; c++) {
      values[c] *= (float) scale;
    }
    return values;
  }
}
