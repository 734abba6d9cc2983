package dev.resid.backend.scalar;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Availability;
import dev.resid.backend.Backends;
import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import dev.resid.testing.Cases;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.Formulas;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The reference against values worked out by hand or in closed form. */
class ScalarBackendTest {
  private final Backend backend = new ScalarBackend();
  private final Cases cases = Cases.ofThisRun();

  private TensorAssert check(String operation) {
    return new TensorAssert("scalar", operation, cases.seed());
  }

  private static Shape rows(int rows, int columns) {
    return Shape.of(Axis.ROW, rows, Axis.D_MODEL, columns);
  }

  private static Tensor vector(float... values) {
    return Tensor.of(Shape.of(Axis.OUT, values.length), values);
  }

  @Test
  void itIsFoundByNameAndAlwaysAvailable() {
    assertInstanceOf(Availability.Available.class, Backends.available().get("scalar"));
    try (Backend found = Backends.named("scalar")) {
      assertInstanceOf(ScalarBackend.class, found);
    }
  }

  @Test
  void layerNormOfAnArithmeticRow() {
    Tensor x = Tensor.of(rows(1, 5), 1, 2, 3, 4, 5);
    Tensor scale = backend.allocate(rows(1, 1));
    backend.layerNormScale(x, 0.25, scale);
    assertEquals(1.5f, scale.get(0, 0)); // variance 2, and ¼ more
    Tensor out = backend.allocate(x.shape());
    backend.layerNormApply(x, scale, vector(3, 3, 3, 3, 6), vector(1, 0, 0, 0, -1), out);
    assertArrayEquals(new float[] {-3, -2, 0, 2, 7}, out.toArray());
  }

  @Test
  void aProductBySmallIntegersIsExact() {
    Tensor x = Tensor.of(rows(2, 3), 1, 2, 3, 4, 5, 6);
    Matrix w =
        backend.pack(Tensor.of(Shape.of(Axis.IN, 3, Axis.OUT, 2), 1, -1, 10, -10, 100, -100));
    Tensor out = backend.allocate(rows(2, 2));
    backend.linear(x, w, vector(0.5f, 0), Activation.RELU, out);
    assertArrayEquals(new float[] {321.5f, 0, 654.5f, 0}, out.toArray());
    Tensor dX = backend.allocate(rows(2, 3));
    backend.linearBackwardInput(Tensor.of(rows(2, 2), 1, 0, 2, 3), w, dX);
    assertArrayEquals(new float[] {1, 10, 100, -1, -10, -100}, dX.toArray());
    Tensor sum = Tensor.of(Shape.of(Axis.IN, 3, Axis.OUT, 1), 1000, 1000, 1000);
    backend.addOuterProducts(x, Tensor.of(rows(2, 1), 1, -1), sum);
    assertArrayEquals(new float[] {997, 997, 997}, sum.toArray());
  }

  @Test
  void sumsThatCancelKeepTheirDigits() {
    // In float the one is lost beside 1e8; the reference keeps it.
    Tensor x = Tensor.of(rows(1, 3), 1e8f, 1, -1e8f);
    Matrix w = backend.pack(Tensor.of(Shape.of(Axis.IN, 3, Axis.OUT, 1), 1, 1, 1));
    Tensor out = backend.allocate(rows(1, 1));
    backend.linear(x, w, vector(0), Activation.IDENTITY, out);
    assertEquals(1, out.get(0, 0));
  }

  @Test
  void addScaledRoundsOnce() {
    // (1 + 2⁻¹²)² = 1 + 2⁻¹¹ + 2⁻²⁴: the last term survives only in a fused operation.
    float x = 1 + 0x1p-12f;
    Tensor out = backend.allocate(rows(1, 1));
    backend.addScaled(Tensor.of(rows(1, 1), -1 - 0x1p-11f), x, Tensor.of(rows(1, 1), x), out);
    assertEquals(0x1p-24f, out.get(0, 0));
  }

  @Test
  void activationsAreTheirFormulasToOneUnitInTheLastPlace() {
    float[] grid = new float[161];
    for (int i = 0; i < grid.length; i++) {
      grid[i] = (i - 80) / 20f;
    }
    Tensor x = Tensor.of(rows(1, grid.length), grid);
    for (Activation activation : Activation.values()) {
      Tensor y = backend.allocate(x.shape());
      Tensor slope = backend.allocate(x.shape());
      backend.activate(x, activation, y);
      backend.activateBackward(x.map(v -> 1), x, activation, slope);
      // Half a unit, and the error of the numerical integral and of the differences.
      check("activate " + activation)
          .close(
              Formulas.each(x, v -> Formulas.activation(activation, v)),
              y,
              Tolerance.within(1e-8, Tolerance.U));
      check("activateBackward " + activation)
          .close(
              Formulas.each(x, v -> Formulas.activationSlope(activation, v)),
              slope,
              Tolerance.within(1e-8, Tolerance.U));
    }
  }

  @Test
  void theErrorFunctionIsAccurateInBothTails() {
    // On both sides of where the method changes, and far out; from a series with 120 digits.
    double[][] known = {
      {-1, 0.15865525393145705},
      {1, 0.84134474606854295},
      {-2.8, 0.0025551303304279342},
      {-2.9, 0.0018658133003840385},
      {2.9, 0.9981341866996160},
      {-12, 1.7764821120776790e-33}
    };
    for (double[] pair : known) {
      double found = ActivationFunctions.normalCdf(pair[0]);
      assertEquals(pair[1], found, 2e-14 * pair[1], "Φ(" + pair[0] + ")");
    }
  }

  @Test
  void theFarNegativeTailOfGeluIsNotLost() {
    Tensor y = backend.allocate(rows(1, 1));
    backend.activate(Tensor.of(rows(1, 1), -12), Activation.GELU, y);
    assertEquals(-12 * 1.7764821120776790e-33, y.get(0, 0), 1e-38);
  }

  @Test
  void softmaxOfLogarithmsIsTheirNumbers() {
    float[] logs = {(float) Math.log(1), (float) Math.log(2), (float) Math.log(5)};
    Tensor out = backend.allocate(rows(1, 3));
    backend.softmax(Tensor.of(rows(1, 3), logs), out);
    check("softmax")
        .close(new double[] {0.125, 0.25, 0.625}, out, Tolerance.within(0, 4 * Tolerance.U));
  }

  @Test
  void crossEntropyOfUniformLogitsIsLnV() {
    double[] nats = backend.crossEntropy(Tensor.zeros(rows(3, 64)), new int[] {5, -1, 63});
    assertArrayEquals(new double[] {Math.log(64), 0, Math.log(64)}, nats, 1e-15);
  }

  @Test
  void divergencesAndEntropiesOfTwoTokens() {
    // x decides between two tokens: logits (0, x). ln Σ exp = ln(1 + eˣ).
    Tensor base = Tensor.of(rows(2, 1), 0, 1);
    Tensor changed = Tensor.of(rows(4, 1), 3, 1, 0, 0);
    Matrix w = backend.pack(Tensor.of(Shape.of(Axis.IN, 1, Axis.OUT, 2), 0, 1));
    Tensor bias = vector(0, 0);
    double[] kl = new double[4];
    for (int i = 0; i < 4; i++) {
      double p = 1 / (1 + Math.exp(-base.get(i % 2, 0)));
      double q = 1 / (1 + Math.exp(-changed.get(i, 0)));
      kl[i] = p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
    }
    assertArrayEquals(kl, backend.unembedKl(base, changed, w, bias), 1e-14);
    assertArrayEquals(
        new double[] {Math.log(2), Math.log(1 + Math.E)},
        backend.unembedLogSumExp(base, w, bias),
        1e-15);
    assertArrayEquals(
        new double[] {Math.log(2), Math.log(1 + Math.E) - 1},
        backend.unembedCrossEntropy(base, w, bias, new int[] {0, 1}),
        1e-15);
  }

  @Test
  void distancesOfAPythagoreanTriple() {
    Tensor a = Tensor.of(rows(2, 2), 3, 4, 1, 1);
    double[] distances = backend.l2Distance(a, Tensor.of(rows(2, 2), 0, 0, 1, 1));
    assertArrayEquals(new double[] {5, 0}, distances);
    assertEquals(27, backend.sumOfSquares(a));
  }

  @Test
  void topKBreaksTiesByLowestIndexAndPutsNanLast() {
    Tensor x = Tensor.of(rows(1, 6), 2, Float.NaN, 7, 2, 7, Float.NEGATIVE_INFINITY);
    TopK top = backend.topK(x, 6);
    assertArrayEquals(new int[] {2, 4, 0, 3, 5, 1}, top.indices());
    assertEquals(7, top.values()[1]);
    assertTrue(Float.isNaN(top.values()[5]));
  }

  @Test
  void theFirstAdamStepMovesByTheLearningRate() {
    // m̂ = g and v̂ = g², so the direction is g/(|g| + ε); decay takes lr·wd of the parameter.
    Tensor p = vector(1, 1);
    Tensor m = vector(0, 0);
    Tensor v = vector(0, 0);
    AdamStep step = new AdamStep(0.25, 0.9, 0.999, 1, 0.5, 2, 1);
    backend.adamW(step, p, vector(1.5f, -0.5f), m, v);
    // gradients 3 and −1 after scaling: directions ¾ and −½
    check("parameter")
        .close(new double[] {1 - 0.125 - 0.1875, 1 - 0.125 + 0.125}, p, Tolerance.within(1e-7, 0));
    check("moment1").close(new double[] {0.3, -0.1}, m, Tolerance.within(1e-7, 0));
    check("moment2").close(new double[] {0.009, 0.001}, v, Tolerance.within(1e-9, 0));
  }

  @Test
  void temporariesAreNanBeforeAndAfterUse() {
    Tensor kept;
    try (Scope scope = backend.scope()) {
      kept = scope.take(rows(2, 3));
      assertTrue(Float.isNaN(kept.get(1, 2)));
      backend.copy(Tensor.zeros(rows(2, 3)), kept);
      Tensor given = scope.take(rows(1, 1));
      backend.copy(Tensor.zeros(rows(1, 1)), given);
      scope.give(given);
      assertTrue(Float.isNaN(given.get(0, 0)));
      assertEquals(0, kept.get(1, 2));
    }
    assertTrue(Float.isNaN(kept.get(1, 2)));
  }

  @Test
  void messagesNameTheOperandAndBothSizes() {
    Matrix w = backend.pack(Tensor.zeros(Shape.of(Axis.IN, 3, Axis.OUT, 4)));
    Tensor x = Tensor.zeros(rows(2, 3));
    Tensor out = Tensor.zeros(rows(2, 5));
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> backend.linear(x, w, vector(0, 0, 0, 0), Activation.IDENTITY, out))
            .getMessage();
    assertEquals("out is [row=2, d_model=5], expected 2 rows of 4", message);
  }

  @Test
  void anOutputThatIsAnInputIsRefused() {
    Matrix w = backend.pack(Tensor.zeros(Shape.of(Axis.IN, 3, Axis.OUT, 3)));
    Tensor x = cases.tensor(rows(2, 3), Values.ORDINARY);
    float[] before = x.toArray();
    assertThrows(
        IllegalArgumentException.class,
        () -> backend.linear(x, w, vector(0, 0, 0), Activation.IDENTITY, x));
    assertTrue(Arrays.equals(before, x.toArray()));
  }
}
