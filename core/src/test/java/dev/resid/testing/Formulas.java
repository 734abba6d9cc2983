package dev.resid.testing;

import dev.resid.tensor.Activation;
import dev.resid.tensor.Tensor;
import java.util.function.DoubleUnaryOperator;

/**
 * Activation functions as their documentation writes them, in float64 and independently of the
 * library: Φ by numerical integration, slopes by central differences.
 */
public final class Formulas {
  /**
   * Error of {@link #activationSlope}: with h = 1e-4 and a fourth-order difference the truncation
   * is below h⁴·|f⁽⁵⁾|/30 = 1e-16 and the rounding below 2e-16·|x|/h; the largest |x| that is not
   * settled by its sign is 32.
   */
  public static final double SLOPE_ERROR = 1e-10;

  private Formulas() {}

  /** Returns a function of every element. */
  public static double[] each(Tensor x, DoubleUnaryOperator function) {
    float[] values = x.toArray();
    double[] results = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      results[i] = function.applyAsDouble(values[i]);
    }
    return results;
  }

  /** Returns f(x). */
  public static double activation(Activation activation, double x) {
    double root = Math.sqrt(2 / Math.PI);
    return switch (activation) {
      case IDENTITY -> x;
      case GELU_NEW -> 0.5 * x * (1 + Math.tanh(root * (x + 0.044715 * Math.pow(x, 3))));
      case GELU -> x * normal(x);
      case GELU_FAST -> 0.5 * x * (1 + Math.tanh(0.7978845608 * x * (1 + 0.044715 * x * x)));
      case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
      case RELU -> x > 0 ? x : 0;
      case SILU -> x / (1 + Math.exp(-x));
      case TANH -> Math.tanh(x);
    };
  }

  /** Returns f′(x), at 0 that of {@link Activation#RELU} from the left. */
  public static double activationSlope(Activation activation, double x) {
    if (activation == Activation.RELU) {
      return x > 0 ? 1 : 0;
    }
    if (Math.abs(x) > 64) {
      boolean constant = activation == Activation.TANH;
      return activation == Activation.IDENTITY || (x > 0 && !constant) ? 1 : 0;
    }
    double h = 1e-4;
    DoubleUnaryOperator f = v -> activation(activation, v);
    double near = f.applyAsDouble(x + h) - f.applyAsDouble(x - h);
    double far = f.applyAsDouble(x + 2 * h) - f.applyAsDouble(x - 2 * h);
    return (8 * near - far) / (12 * h);
  }

  /** Returns Φ(x) by Simpson's rule with steps of at most 0.01, error below 1e-9. */
  public static double normal(double x) {
    if (Math.abs(x) > 12) {
      return x > 0 ? 1 : 0;
    }
    int steps = 1200;
    double h = x / steps;
    double sum = 0;
    for (int i = 0; i <= steps; i++) {
      double weight = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2;
      sum += weight * Math.exp(-0.5 * (i * h) * (i * h));
    }
    return 0.5 + sum * h / 3 / Math.sqrt(2 * Math.PI);
  }
}
