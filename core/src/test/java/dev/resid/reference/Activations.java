package dev.resid.reference;

import java.util.function.DoubleUnaryOperator;

/** The functions a GPT-2 configuration may name, in float64. */
public final class Activations {
  private Activations() {}

  /**
   * Returns a function by its name in config.json.
   *
   * @param name for example {@code gelu_new}
   */
  public static DoubleUnaryOperator named(String name) {
    return switch (name) {
      case "gelu_new" ->
          x -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case "gelu" -> x -> 0.5 * x * (1 + erf(x / Math.sqrt(2)));
      case "gelu_fast" -> x -> 0.5 * x * (1 + Math.tanh(0.7978845608 * x * (1 + 0.044715 * x * x)));
      case "quick_gelu" -> x -> x / (1 + Math.exp(-1.702 * x));
      case "relu" -> x -> Math.max(x, 0);
      case "silu" -> x -> x / (1 + Math.exp(-x));
      case "tanh" -> Math::tanh;
      default -> throw new IllegalArgumentException(name);
    };
  }

  /**
   * Returns 2/√π·exp(−x²)·Σ 2ⁿx²ⁿ⁺¹/(1·3·…·(2n+1)), whose terms all have one sign (Abramowitz and
   * Stegun 1964, 7.1.6).
   */
  static double erf(double x) {
    if (Math.abs(x) > 6) {
      return Math.signum(x); // 1 − erf(6) is 2e-17
    }
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }
}
