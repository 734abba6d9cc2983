package dev.resid.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.tensor.ShapeMismatchException;
import org.junit.jupiter.api.Test;

class JensenShannonTest {
  private static float[] logs(double... p) {
    float[] logits = new float[p.length];
    for (int v = 0; v < p.length; v++) {
      logits[v] = (float) Math.log(p[v]);
    }
    return logits;
  }

  @Test
  void equalDistributionsAreAtNoDistanceAndDisjointOnesAtOneBit() {
    float[] p = logs(0.9, 0.1);
    assertEquals(0, JensenShannon.bits(p, p));
    assertEquals(1e-4, JensenShannon.distance(p, p), 1e-18);
    assertEquals(0, JensenShannon.bits(p, new float[] {p[0] + 7, p[1] + 7}), 1e-14, "shifted");
    assertEquals(1, JensenShannon.bits(logs(1, 0), logs(0, 1)), 1e-15);
    assertEquals(Math.sqrt(1 + 1e-8), JensenShannon.distance(logs(1, 0), logs(0, 1)), 1e-15);
  }

  @Test
  void aPairIsAsFarApartAsItsEntropiesSay() {
    // H(0.7, 0.3) − ½·H(0.9, 0.1) − ½·H(0.5, 0.5) in bits.
    double expected = entropy(0.7) - (entropy(0.9) + entropy(0.5)) / 2;
    assertEquals(expected, JensenShannon.bits(logs(0.9, 0.1), logs(0.5, 0.5)), 1e-7);
    assertEquals(expected, JensenShannon.bits(logs(0.5, 0.5), logs(0.9, 0.1)), 1e-7);
  }

  private static double entropy(double p) {
    return -(p * Math.log(p) + (1 - p) * Math.log(1 - p)) / Math.log(2);
  }

  /** For q = p·(1 + ε) JS is ε²/8·Σ p·e² nats to second order, far below what cancels. */
  @Test
  void smallDifferencesAreNotLost() {
    float[] p = {0, 0};
    float step = 0x1p-20f;
    float[] q = {step, -step};
    double expected = step * (double) step / 8 / Math.log(2);
    assertEquals(expected, JensenShannon.bits(p, q), 1e-3 * expected);
  }

  @Test
  void differentNumbersOfLogitsAreRefused() {
    assertThrows(
        ShapeMismatchException.class, () -> JensenShannon.bits(new float[2], new float[3]));
  }
}
