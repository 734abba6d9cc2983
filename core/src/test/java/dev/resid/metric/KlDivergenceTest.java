package dev.resid.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** T1 and T2 of the invariants. */
class KlDivergenceTest {
  private static float[] random(int stream, int n) {
    float[] values = new float[n];
    new CounterRandom(11).fillNormal(stream, 0, values);
    return values;
  }

  private static float[] logs(double... probabilities) {
    float[] logs = new float[probabilities.length];
    for (int i = 0; i < logs.length; i++) {
      logs[i] = (float) Math.log(probabilities[i]);
    }
    return logs;
  }

  @Test
  void equalDistributionsHaveNoDivergence() {
    float[] p = random(0, 257);
    assertEquals(0, KlDivergence.nats(p, p), 1e-9);
  }

  @Test
  void directionIsOriginalFirst() {
    // 0.9·ln(0.9/0.5) + 0.1·ln(0.1/0.5) and the other way round, by hand; logits are rounded to
    // float, which moves KL by about 1e-7.
    assertEquals(0.36806, KlDivergence.nats(logs(.9, .1), logs(.5, .5)), 1e-5);
    assertEquals(0.51083, KlDivergence.nats(logs(.5, .5), logs(.9, .1)), 1e-5);
  }

  @Test
  void isNeverNegativeBeyondRounding() {
    for (int i = 0; i < 200; i++) {
      double kl = KlDivergence.nats(random(i, 31), random(i + 1000, 31));
      assertTrue(kl >= -1e-12, "case " + i + ": " + kl);
    }
  }

  @Test
  void doesNotChangeWhenAllLogitsMoveByOneConstant() {
    float[] p = random(1, 101);
    float[] q = random(2, 101);
    float[] moved = new float[q.length];
    for (int i = 0; i < q.length; i++) {
      moved[i] = q[i] + 4; // exact enough: one rounding of 2^-22 a logit
    }
    assertEquals(KlDivergence.nats(p, q), KlDivergence.nats(p, moved), 1e-6);
  }

  @Test
  void impossibleTokensOfTheOriginalCostNothing() {
    float[] p = {0, Float.NEGATIVE_INFINITY, 0};
    float[] q = {0, 0, 0};
    assertEquals(Math.log(1.5), KlDivergence.nats(p, q), 1e-12);
  }

  @Test
  void rowsAreComparedOneByOne() {
    Shape shape = Shape.of(Axis.POS, 2, Axis.D_VOCAB, 2);
    Tensor p = Tensor.of(shape, 0, 0, 1, 2);
    Tensor q = Tensor.of(shape, 0, 0, 2, 1);
    double[] kl = KlDivergence.nats(p, q);
    assertEquals(0, kl[0], 1e-12);
    // p = (σ(−1), σ(1)), q swapped: KL = (σ(1) − σ(−1))·1
    double sigma = 1 / (1 + Math.exp(-1));
    assertEquals(2 * sigma - 1, kl[1], 1e-12);
  }

  @Test
  void differentShapesAreRefused() {
    Tensor p = Tensor.zeros(Shape.of(Axis.POS, 1, Axis.D_VOCAB, 2));
    Tensor q = Tensor.zeros(Shape.of(Axis.POS, 1, Axis.D_VOCAB, 3));
    assertThrows(ShapeMismatchException.class, () -> KlDivergence.nats(p, q));
  }
}
