package dev.resid.sae.dictionary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.sae.dictionary.ConnectionFit.Fit;
import dev.resid.sae.dictionary.ConnectionFit.Model;
import dev.resid.sae.dictionary.ConnectionFit.Plan;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import org.junit.jupiter.api.Test;

class ConnectionFitTest extends OnEachCpuBackend {
  private static final int ROWS = 600;
  private static final int IN = 5;
  private static final int OUT = 3;
  private static final Plan PLAN = new Plan(600, 64, 0.03, 0, 24, 7);

  private static Tensor inputs() {
    return Tensor.wrap(
        Shape.of(Axis.ROW, ROWS, Axis.D_SAE, IN), SmallSaes.normal(1, 0, ROWS * IN, 1));
  }

  private static float[] connections() {
    float[] w = SmallSaes.normal(2, 0, IN * OUT, 1);
    w[0] = 0; // a pair without connection
    w[IN * OUT - 1] = 0;
    return w;
  }

  private interface Output {
    double of(double linear);
  }

  private static Tensor outputs(Output function) {
    float[] x = inputs().toArray();
    float[] w = connections();
    float[] y = new float[ROWS * OUT];
    for (int r = 0; r < ROWS; r++) {
      for (int o = 0; o < OUT; o++) {
        double sum = 0;
        for (int i = 0; i < IN; i++) {
          sum += x[r * IN + i] * (double) w[i * OUT + o];
        }
        y[r * OUT + o] = (float) function.of(sum);
      }
    }
    return Tensor.wrap(Shape.of(Axis.ROW, ROWS, Axis.D_SAE, OUT), y);
  }

  private Fit fit(Output function, Model model, Plan plan) {
    return ConnectionFit.fit(inputs(), outputs(function), model, plan, backend());
  }

  @Test
  void aLinearModelFindsLinearConnections() {
    Fit fit = fit(v -> v, Model.LINEAR, PLAN);
    assertTrue(fit.mse() < 1e-6 && fit.heldOutMse() < 1e-6, fit.toString());
    float[] expected = connections();
    float[] found = fit.weights().toArray();
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], found[i], 1e-3, "weight " + i);
    }
  }

  @Test
  void onlyTheReluModelFitsThresholds() {
    Output threshold = v -> Math.max(0, v - 0.5);
    Fit linear = fit(threshold, Model.LINEAR, PLAN);
    Fit relu = fit(threshold, Model.RELU_LINEAR, PLAN);
    assertTrue(relu.heldOutMse() < 1e-4, relu.toString());
    assertTrue(linear.heldOutMse() > 0.1, linear.toString());
    assertTrue(linear.heldOutMse() < linear.heldOutVariance(), linear.toString());
  }

  @Test
  void aHiddenLayerFitsWhatNeitherDoes() {
    Output both = Math::abs;
    assertTrue(fit(both, Model.RELU_LINEAR, PLAN).heldOutMse() > 0.1);
    Fit hidden = fit(both, Model.HIDDEN_LAYER, PLAN);
    assertTrue(hidden.heldOutMse() < 0.02, hidden.toString());
  }

  @Test
  void thePenaltyMakesWeightsSmaller() {
    Plan penalised = new Plan(600, 64, 0.03, 3, 24, 7);
    double free = size(fit(v -> v, Model.LINEAR, PLAN));
    double small = size(fit(v -> v, Model.LINEAR, penalised));
    assertTrue(small < 0.9 * free, small + " and " + free);
  }

  private static double size(Fit fit) {
    double sum = 0;
    for (float w : fit.weights().toArray()) {
      sum += Math.abs(w);
    }
    return sum;
  }

  @Test
  void rowsMustBelongTogether() {
    Tensor few = Tensor.zeros(Shape.of(Axis.ROW, 10, Axis.D_SAE, 2));
    assertThrows(
        IllegalArgumentException.class,
        () -> ConnectionFit.fit(few, few, Model.LINEAR, PLAN, backend()));
    assertThrows(
        IllegalArgumentException.class,
        () -> ConnectionFit.fit(inputs(), few, Model.LINEAR, PLAN, backend()));
  }
}
