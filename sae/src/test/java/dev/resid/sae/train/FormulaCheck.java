package dev.resid.sae.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.model.Reference;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Tensor;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Compares what a learner found with a formula in float64.
 *
 * @param backend named in failures
 */
record FormulaCheck(String backend) {
  /** Step of a central difference; its error is of order 1e-10 of the third derivative. */
  private static final double STEP = 1e-5;

  private static final SaeWeight[] WEIGHTS = {
    SaeWeight.W_enc, SaeWeight.b_enc, SaeWeight.W_dec, SaeWeight.b_dec
  };

  /** Returns random parameters of a dictionary. */
  static Map<SaeWeight, Tensor> parameters(int width, int features) {
    Map<SaeWeight, Tensor> parameters = new EnumMap<>(SaeWeight.class);
    for (SaeWeight weight : WEIGHTS) {
      var shape = weight.shape(width, features, width);
      float[] values =
          SmallSaes.normal(8, weight.ordinal(), Math.toIntExact(shape.elements()), 0.5);
      parameters.put(weight, Tensor.wrap(shape, values));
    }
    return parameters;
  }

  /** Returns copies in float64. */
  static Map<SaeWeight, double[]> wide(Map<SaeWeight, Tensor> parameters) {
    Map<SaeWeight, double[]> wide = new EnumMap<>(SaeWeight.class);
    parameters.forEach((weight, tensor) -> wide.put(weight, Reference.doubles(tensor)));
    return wide;
  }

  /** Compares the loss, and every entry of every gradient with a central difference. */
  void compare(
      Map<SaeWeight, Tensor> parameters,
      Learner learner,
      StepSums seen,
      ToDoubleFunction<Map<SaeWeight, double[]>> formula) {
    Map<SaeWeight, double[]> wide = wide(parameters);
    double loss = formula.applyAsDouble(wide);
    assertEquals(loss, seen.loss, 2e-5 * loss, "loss");
    parameters.forEach(
        (weight, tensor) -> {
          double[] values = wide.get(weight);
          double[] gradient = new double[values.length];
          double largest = 0;
          for (int i = 0; i < values.length; i++) {
            double kept = values[i];
            values[i] = kept + STEP;
            double above = formula.applyAsDouble(wide);
            values[i] = kept - STEP;
            double below = formula.applyAsDouble(wide);
            values[i] = kept;
            gradient[i] = (above - below) / (2 * STEP);
            largest = Math.max(largest, Math.abs(gradient[i]));
          }
          assertTrue(largest > 1e-3, weight + " has no gradient to compare");
          // Float32 through six layer norms: 8e-6 of the largest was measured.
          new TensorAssert(backend, "gradient of " + weight, 8)
              .close(
                  gradient,
                  learner.parameters().gradient(weight),
                  Tolerance.within(8e-5 * largest, 0));
        });
  }
}
