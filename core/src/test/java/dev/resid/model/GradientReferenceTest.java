package dev.resid.model;

import dev.resid.hook.HookPoint;
import dev.resid.reference.Float64Gpt2;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The backward pass against differences of the float64 reference: the gradient of the mean
 * next-token cross-entropy with respect to every weight and to every activation.
 *
 * <p>The derivative is (f(x+h) − f(x−h))/2h with h = 1e-5: truncation about h² = 1e-10, rounding
 * about 1e-15/h = 1e-10.
 */
class GradientReferenceTest extends OnEachCpuBackend {
  private static final double STEP = 1e-5;

  /**
   * Differences by case and name, kept for the second backend. A case has some thousand numbers.
   */
  private static final Map<String, double[]> DIFFERENCES = new ConcurrentHashMap<>();

  /**
   * Error allowed, as a part of the largest element of the gradient but at least of 0.1. The
   * largest seen over 40 seeds and both backends is 1.2e-5, in a model of width 4; in most cases it
   * is below 2e-6.
   */
  private static Tolerance tolerance(double[] expected) {
    return Tolerance.within(1e-4 * Math.max(0.1, Reference.largest(expected)), 0);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#tiny")
  void gradientsOfEveryWeightAgree(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    try (Tape tape = c.on(backend()).record(c.tokens())) {
      Gradients gradients = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      for (Weight weight : Gpt2Backward.trained(c.config())) {
        double[] want =
            DIFFERENCES.computeIfAbsent(
                c + " " + weight, key -> weightGradient(reference, c.tokens(), weight));
        check("gradient of " + weight + " of " + c, c.seed())
            .close(want, gradients.weight(weight), tolerance(want));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#tiny")
  void gradientsOfEveryActivationAgree(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    HookPoint[] points = Reference.points(c.config()).toArray(HookPoint[]::new);
    try (Tape tape = c.on(backend()).record(c.tokens())) {
      Gradients gradients = tape.backward(Wanted.activations(points), Seed.crossEntropy());
      for (HookPoint point : points) {
        for (int row = 0; row < c.tokens().rows(); row++) {
          int which = row;
          double[] want =
              DIFFERENCES.computeIfAbsent(
                  c + " " + point + " " + row,
                  key -> activationGradient(reference, c.tokens(), point, which));
          Tensor got = Reference.rowOf(gradients.activation(point), row, c.tokens().length(row));
          check("gradient at " + point + " row " + row + " of " + c, c.seed())
              .close(want, got, tolerance(want));
        }
      }
    }
  }

  private static double[] weightGradient(Float64Gpt2 reference, TokenBatch tokens, Weight weight) {
    double[] values = reference.weights().get(weight.lensName());
    double[] gradient = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      gradient[i] = derivative(values, i, () -> loss(reference, tokens, Map.of(), -1));
    }
    return gradient;
  }

  private static double[] activationGradient(
      Float64Gpt2 reference, TokenBatch tokens, HookPoint point, int row) {
    double[] clean = reference.run(tokens.row(row)).get(point.name());
    double[] shift = new double[clean.length];
    Map<String, UnaryOperator<double[]>> change =
        Map.of(
            point.name(),
            x -> {
              for (int i = 0; i < x.length; i++) {
                x[i] += shift[i];
              }
              return x;
            });
    double[] gradient = new double[clean.length];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] =
          Double.isFinite(clean[i])
              ? derivative(shift, i, () -> loss(reference, tokens, change, row))
              : 0;
    }
    return gradient;
  }

  private static double derivative(double[] values, int index, DoubleSupplier function) {
    double at = values[index];
    values[index] = at + STEP;
    double difference = function.getAsDouble();
    values[index] = at - STEP;
    difference -= function.getAsDouble();
    values[index] = at;
    return difference / (2 * STEP);
  }

  /** Returns the part of the loss that depends on one row, or all of it for −1. */
  private static double loss(
      Float64Gpt2 reference,
      TokenBatch tokens,
      Map<String, UnaryOperator<double[]>> changes,
      int only) {
    double sum = 0;
    int count = 0;
    for (int row = 0; row < tokens.rows(); row++) {
      count += tokens.length(row) - 1;
      if (only < 0 || only == row) {
        int[] ids = tokens.row(row);
        for (double nats :
            Float64Gpt2.crossEntropies(reference.run(changes, ids).get("logits"), ids)) {
          sum += nats;
        }
      }
    }
    return sum / count;
  }
}
