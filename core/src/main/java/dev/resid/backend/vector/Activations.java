package dev.resid.backend.vector;

import dev.resid.tensor.Activation;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

// The functions of Activation and their derivatives over a stretch of an array. One loop for each
// function, because a function passed as an argument would keep the compiler from vectorising it;
// the last vector of a stretch is loaded and stored under a mask and computed like all others.
//
// With s = σ(2u), u = √(2/π)·(x + 0.044715·x³), GELU_NEW is x·s: 0.5·(1 + tanh u) = σ(2u), and
// this form keeps its digits where 1 + tanh u cancels. 2u is computed in float64, since its
// rounding would be multiplied by its size.
final class Activations {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final VectorSpecies<Float> H = Lanes.H;
  private static final VectorSpecies<Double> D = Lanes.D;
  private static final double GELU_NEW_FACTOR = 2 * Math.sqrt(2 / Math.PI);
  // The rounded constant of the implementations that GELU_FAST is named after.
  private static final double GELU_FAST_FACTOR = 2 * 0.7978845608;
  private static final double CUBIC = 0.044715;
  private static final float QUICK = 1.702f;
  private static final double INVERSE_SQRT_2_PI = 1 / Math.sqrt(2 * Math.PI);

  private Activations() {}

  /** out[outFrom + i] = f(x[from + i]) for n elements; out may be x at the same place. */
  static void apply(Activation f, float[] x, int from, float[] out, int outFrom, int n) {
    switch (f) {
      case IDENTITY -> {
        if (x != out || from != outFrom) {
          System.arraycopy(x, from, out, outFrom, n);
        }
      }
      case GELU_NEW -> tanhGelu(GELU_NEW_FACTOR, x, from, out, outFrom, n);
      case GELU -> gelu(x, from, out, outFrom, n);
      case GELU_FAST -> tanhGelu(GELU_FAST_FACTOR, x, from, out, outFrom, n);
      case QUICK_GELU -> logisticProduct(QUICK, x, from, out, outFrom, n);
      case RELU -> relu(x, from, out, outFrom, n);
      case SILU -> logisticProduct(1f, x, from, out, outFrom, n);
      case TANH -> tanh(x, from, out, outFrom, n);
    }
  }

  /** dX[i] = dOut[i]·f′(x[i]) for elements from `from`, n of them; dX may be dOut. */
  static void backward(Activation f, float[] dOut, float[] x, float[] dX, int from, int n) {
    switch (f) {
      case IDENTITY -> {
        if (dX != dOut) {
          System.arraycopy(dOut, from, dX, from, n);
        }
      }
      case GELU_NEW -> tanhGeluBackward(GELU_NEW_FACTOR, dOut, x, dX, from, n);
      case GELU -> geluBackward(dOut, x, dX, from, n);
      case GELU_FAST -> tanhGeluBackward(GELU_FAST_FACTOR, dOut, x, dX, from, n);
      case QUICK_GELU -> logisticProductBackward(QUICK, dOut, x, dX, from, n);
      case RELU -> reluBackward(dOut, x, dX, from, n);
      case SILU -> logisticProductBackward(1f, dOut, x, dX, from, n);
      case TANH -> tanhBackward(dOut, x, dX, from, n);
    }
  }

  private static void tanhGelu(double factor, float[] x, int from, float[] out, int outFrom, int n) {
    for (int i = 0; i < n; i += H.length()) {
      VectorMask<Float> m = H.indexInRange(i, n);
      DoubleVector v = toDouble(FloatVector.fromArray(H, x, from + i, m));
      toFloat(tanhGelu(factor, v)).intoArray(out, outFrom + i, m);
    }
  }

  private static void gelu(float[] x, int from, float[] out, int outFrom, int n) {
    for (int i = 0; i < n; i += H.length()) {
      VectorMask<Float> m = H.indexInRange(i, n);
      DoubleVector v = toDouble(FloatVector.fromArray(H, x, from + i, m));
      toFloat(v.mul(Exponentials.normalDistribution(v))).intoArray(out, outFrom + i, m);
    }
  }

  private static void logisticProduct(float factor, float[] x, int from, float[] out, int outFrom, int n) {
    for (int i = 0; i < n; i += F.length()) {
      VectorMask<Float> m = F.indexInRange(i, n);
      FloatVector v = FloatVector.fromArray(F, x, from + i, m);
      v.mul(Exponentials.logistic(v.mul(factor))).intoArray(out, outFrom + i, m);
    }
  }

  private static void relu(float[] x, int from, float[] out, int outFrom, int n) {
    for (int i = 0; i < n; i += F.length()) {
      VectorMask<Float> m = F.indexInRange(i, n);
      FloatVector v = FloatVector.fromArray(F, x, from + i, m);
      v.blend(0f, v.compare(VectorOperators.LE, 0f)).intoArray(out, outFrom + i, m);
    }
  }

  private static void tanh(float[] x, int from, float[] out, int outFrom, int n) {
    for (int i = 0; i < n; i += H.length()) {
      VectorMask<Float> m = H.indexInRange(i, n);
      DoubleVector v = toDouble(FloatVector.fromArray(H, x, from + i, m));
      toFloat(Exponentials.tanh(v)).intoArray(out, outFrom + i, m);
    }
  }

  private static void tanhGeluBackward(double factor, float[] dOut, float[] x, float[] dX, int from, int n) {
    for (int i = 0; i < n; i += H.length()) {
      int at = from + i;
      VectorMask<Float> m = H.indexInRange(i, n);
      DoubleVector v = toDouble(FloatVector.fromArray(H, x, at, m));
      DoubleVector d = toDouble(FloatVector.fromArray(H, dOut, at, m));
      toFloat(d.mul(tanhGeluSlope(factor, v))).intoArray(dX, at, m);
    }
  }

  private static void geluBackward(float[] dOut, float[] x, float[] dX, int from, int n) {
    for (int i = 0; i < n; i += H.length()) {
      int at = from + i;
      VectorMask<Float> m = H.indexInRange(i, n);
      DoubleVector v = toDouble(FloatVector.fromArray(H, x, at, m));
      DoubleVector d = toDouble(FloatVector.fromArray(H, dOut, at, m));
      toFloat(d.mul(geluSlope(v))).intoArray(dX, at, m);
    }
  }

  private static void logisticProductBackward(float factor, float[] dOut, float[] x, float[] dX, int from, int n) {
    for (int i = 0; i < n; i += F.length()) {
      int at = from + i;
      VectorMask<Float> m = F.indexInRange(i, n);
      FloatVector v = FloatVector.fromArray(F, x, at, m);
      FloatVector d = FloatVector.fromArray(F, dOut, at, m);
      d.mul(logisticProductSlope(factor, v)).intoArray(dX, at, m);
    }
  }

  private static void reluBackward(float[] dOut, float[] x, float[] dX, int from, int n) {
    for (int i = 0; i < n; i += F.length()) {
      int at = from + i;
      VectorMask<Float> m = F.indexInRange(i, n);
      FloatVector v = FloatVector.fromArray(F, x, at, m);
      FloatVector d = FloatVector.fromArray(F, dOut, at, m);
      FloatVector slope = d.blend(0f, v.compare(VectorOperators.LE, 0f));
      slope.blend(Float.NaN, v.test(VectorOperators.IS_NAN)).intoArray(dX, at, m);
    }
  }

  private static void tanhBackward(float[] dOut, float[] x, float[] dX, int from, int n) {
    for (int i = 0; i < n; i += H.length()) {
      int at = from + i;
      VectorMask<Float> m = H.indexInRange(i, n);
      DoubleVector v = toDouble(FloatVector.fromArray(H, x, at, m));
      DoubleVector d = toDouble(FloatVector.fromArray(H, dOut, at, m));
      toFloat(d.mul(tanhSlope(v))).intoArray(dX, at, m);
    }
  }

  private static DoubleVector tanhGelu(double factor, DoubleVector x) {
    DoubleVector y = x.mul(x).mul(CUBIC).add(1.0).mul(x).mul(factor);
    return x.div(Exponentials.exp(y.neg()).add(1.0));
  }

  // y = 2u: f = x·s, f′ = s + x·s·(1 − s)·y′.
  private static DoubleVector tanhGeluSlope(double factor, DoubleVector x) {
    DoubleVector square = x.mul(x);
    DoubleVector y = square.mul(CUBIC).add(1.0).mul(x).mul(factor);
    DoubleVector s = one().div(Exponentials.exp(y.neg()).add(1.0));
    DoubleVector slope = square.mul(3 * CUBIC).add(1.0).mul(factor);
    return x.mul(s).mul(one().sub(s)).mul(slope).add(s);
  }

  private static DoubleVector geluSlope(DoubleVector x) {
    DoubleVector density = Exponentials.exp(x.mul(x).mul(-0.5)).mul(INVERSE_SQRT_2_PI);
    return Exponentials.normalDistribution(x).add(x.mul(density));
  }

  // f = x·σ(a·x), f′ = s + a·x·s·(1 − s).
  private static FloatVector logisticProductSlope(float factor, FloatVector x) {
    FloatVector y = x.mul(factor);
    FloatVector s = Exponentials.logistic(y);
    return y.mul(s).mul(FloatVector.broadcast(F, 1f).sub(s)).add(s);
  }

  private static DoubleVector tanhSlope(DoubleVector x) {
    DoubleVector t = Exponentials.tanh(x);
    return one().sub(t.mul(t));
  }

  private static DoubleVector one() {
    return DoubleVector.broadcast(D, 1.0);
  }

  private static DoubleVector toDouble(FloatVector v) {
    return (DoubleVector) v.convertShape(VectorOperators.F2D, D, 0);
  }

  private static FloatVector toFloat(DoubleVector v) {
    return (FloatVector) v.convertShape(VectorOperators.D2F, H, 0);
  }
}
