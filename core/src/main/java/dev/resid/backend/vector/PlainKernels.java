package dev.resid.backend.vector;

import dev.resid.tensor.Activation;

// Kernels of RowKernels, Exponentials and Activations once more without vectors, for FirstPasses:
// the same operations in the same order, so the same bits. Where those say why something is
// computed as it is, this does not say it again.
final class PlainKernels {
  /** Nanoseconds for an element of a layer norm's scale or of its result, once compiled. */
  static final double NANOS_TO_NORM = 3;

  /** Nanoseconds for an element of an activation, once compiled. */
  static final double NANOS_TO_ACTIVATE = 10;

  private static final int L = Lanes.L;

  private PlainKernels() {}

  /** As {@link RowKernels#layerNormScale}. */
  static double layerNormScale(float[] x, int from, int n, double epsilon) {
    double mean = sum(x, from, n) / n;
    double[] lanes = new double[L];
    for (int i = 0; i < n; i++) {
      double d = x[from + i] - mean;
      lanes[i % L] = Math.fma(d, d, lanes[i % L]);
    }
    return Math.sqrt(Lanes.sum(lanes) / n + epsilon);
  }

  /** As {@link RowKernels#layerNormApply}. */
  static void layerNormApply(
      float[] x, int from, double scale, float[] gamma, float[] beta, float[] out, int n) {
    double mean = sum(x, from, n) / n;
    double inverse = 1 / scale;
    for (int i = 0; i < n; i++) {
      double normal = (x[from + i] - mean) * inverse;
      out[from + i] = (float) Math.fma(normal, (double) gamma[i], (double) beta[i]);
    }
  }

  /** As {@link RowKernels#softmax}. */
  static void softmax(float[] x, int from, int n) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = from; i < from + n; i++) {
      max = x[i] > max ? x[i] : max;
    }
    for (int i = from; i < from + n; i++) {
      x[i] = exp(x[i] - max);
    }
    Elementwise.scale(x, from, n, (float) (1 / sum(x, from, n)));
  }

  /** As {@link Elementwise#addScaled(float, float[], int, float[], int, int)}. */
  static void addScaled(float factor, float[] b, int bFrom, float[] out, int outFrom, int n) {
    for (int i = 0; i < n; i++) {
      out[outFrom + i] = Math.fma(factor, b[bFrom + i], out[outFrom + i]);
    }
  }

  /** Returns whether {@link #apply} has a function. */
  static boolean has(Activation f) {
    return switch (f) {
      case IDENTITY, RELU, GELU_NEW, GELU_FAST -> true;
      case GELU, QUICK_GELU, SILU, TANH -> false;
    };
  }

  /** As {@link Activations#apply} at one place. */
  static void apply(Activation f, float[] x, int from, int n) {
    switch (f) {
      case IDENTITY -> {}
      case RELU -> {
        for (int i = from; i < from + n; i++) {
          x[i] = x[i] <= 0f ? 0f : x[i];
        }
      }
      case GELU_NEW -> tanhGelu(Activations.GELU_NEW_FACTOR, x, from, n);
      case GELU_FAST -> tanhGelu(Activations.GELU_FAST_FACTOR, x, from, n);
      default -> throw new AssertionError(f + " is not among those of has()");
    }
  }

  private static void tanhGelu(double factor, float[] x, int from, int n) {
    for (int i = from; i < from + n; i++) {
      double v = x[i];
      x[i] = x[i] / ((float) exp((v * v * Activations.CUBIC + 1.0) * v * -factor) + 1f);
    }
  }

  private static double sum(float[] x, int from, int n) {
    double[] lanes = new double[L];
    for (int i = 0; i < n; i++) {
      lanes[i % L] += x[from + i];
    }
    return Lanes.sum(lanes);
  }

  private static float exp(float x) {
    if (x < Exponentials.SMALLEST) {
      return 0f;
    }
    if (x > Exponentials.LARGEST) {
      return Float.POSITIVE_INFINITY;
    }
    float shifted = Math.fma(x, Exponentials.LOG2_E, Exponentials.ROUND);
    float whole = shifted - Exponentials.ROUND;
    float r = Math.fma(whole, -Exponentials.LN_2_HIGH, x);
    r = Math.fma(whole, -Exponentials.LN_2_LOW, r);
    float p = Math.fma(1f / 5040, r, 1f / 720);
    p = Math.fma(p, r, 1f / 120);
    p = Math.fma(p, r, 1f / 24);
    p = Math.fma(p, r, 1f / 6);
    p = Math.fma(p, r, 0.5f);
    p = Math.fma(p, r, 1f);
    p = Math.fma(p, r, 1f);
    int exponent = Float.floatToRawIntBits(shifted) - Exponentials.ROUND_BITS;
    int half = exponent >> 1;
    return p * powerOf2(half) * powerOf2(exponent - half);
  }

  private static float powerOf2(int n) {
    return Float.intBitsToFloat(n + Exponentials.BIAS << Exponentials.MANTISSA_BITS);
  }

  private static double exp(double x) {
    if (x < Exponentials.SMALLEST_DOUBLE) {
      return 0;
    }
    if (x > Exponentials.LARGEST_DOUBLE) {
      return Double.POSITIVE_INFINITY;
    }
    double shifted = Math.fma(x, Exponentials.LOG2_E_DOUBLE, Exponentials.ROUND_DOUBLE);
    double whole = shifted - Exponentials.ROUND_DOUBLE;
    double r = Math.fma(whole, -Exponentials.LN_2_HIGH_DOUBLE, x);
    r = Math.fma(whole, -Exponentials.LN_2_LOW_DOUBLE, r);
    double p = Math.fma(1.0 / 39916800, r, 1.0 / 3628800);
    p = Math.fma(p, r, 1.0 / 362880);
    p = Math.fma(p, r, 1.0 / 40320);
    p = Math.fma(p, r, 1.0 / 5040);
    p = Math.fma(p, r, 1.0 / 720);
    p = Math.fma(p, r, 1.0 / 120);
    p = Math.fma(p, r, 1.0 / 24);
    p = Math.fma(p, r, 1.0 / 6);
    p = Math.fma(p, r, 0.5);
    p = Math.fma(p, r, 1.0);
    p = Math.fma(p, r, 1.0);
    long exponent = Double.doubleToRawLongBits(shifted) << Exponentials.MANTISSA_BITS_DOUBLE;
    return Double.longBitsToDouble(Double.doubleToRawLongBits(p) + exponent);
  }
}
