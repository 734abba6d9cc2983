package dev.resid.backend.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

// exp(x) = 2^n · exp(r) with n = x / ln 2 rounded and |r| ≤ ln 2 / 2; ln 2 is subtracted in two
// parts so that r keeps its digits, and exp(r) is its Taylor polynomial, long enough that the rest
// lies below the rounding. Every lane is computed alike, so a value does not depend on its place.
//
// Kernels call these loops on a piece of an array that fits the first-level cache, instead of a
// function of one vector in loops of their own: whether the compiler inlines such a function
// depends on what it compiled before, and where it does not, every vector becomes an object. For
// the same reason loops here have no masked loads and stores, which each cost the compiler as much
// of its budget as ten operations: what is left over is computed in a vector of its own.
final class Exponentials {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final VectorSpecies<Float> H = Lanes.H;
  private static final VectorSpecies<Double> D = Lanes.D;

  static final float LOG2_E = (float) (1 / Math.log(2));
  static final float LN_2_HIGH = 0x1.62e4p-1f;
  static final float LN_2_LOW = (float) (Math.log(2) - 0x1.62e4p-1);
  // Adding 1.5·2^23 leaves no room for a fraction, so the sum is rounded to an integer.
  static final float ROUND = 0x1.8p23f;
  static final int ROUND_BITS = Float.floatToRawIntBits(ROUND);
  static final float SMALLEST = -103.98f;
  static final float LARGEST = 88.73f;
  static final int BIAS = 127;
  static final int MANTISSA_BITS = 23;

  static final double LOG2_E_DOUBLE = 1 / Math.log(2);
  static final double LN_2_HIGH_DOUBLE = 0x1.62e42fefap-1;
  static final double LN_2_LOW_DOUBLE = 0x1.cf79abc9e3b3ap-40;
  static final double ROUND_DOUBLE = 0x1.8p52;
  static final double SMALLEST_DOUBLE = -708;
  static final double LARGEST_DOUBLE = 709;
  static final int MANTISSA_BITS_DOUBLE = 52;

  private Exponentials() {}

  /**
   * out[outFrom + i] = exp(factor·x[from + i] − shift), also where that is subnormal; NaN stays
   * NaN.
   *
   * @accuracy below 1 unit in the last place of the exact value for factor 1 and shift 0: 0.93 over
   *     four million arguments from −103.9 to 88.7
   */
  static void exp(float[] x, int from, float factor, float shift, float[] out, int outFrom, int n) {
    int whole = n - n % F.length();
    expWhole(x, from, factor, shift, out, outFrom, whole);
    if (whole < n) {
      float[] rest = new float[F.length()];
      System.arraycopy(x, from + whole, rest, 0, n - whole);
      expWhole(rest, 0, factor, shift, rest, 0, rest.length);
      System.arraycopy(rest, 0, out, outFrom + whole, n - whole);
    }
  }

  // As above for n a multiple of the lanes.
  private static void expWhole(
      float[] x, int from, float factor, float shift, float[] out, int outFrom, int n) {
    for (int i = 0; i < n; i += F.length()) {
      FloatVector v = FloatVector.fromArray(F, x, from + i).mul(factor).sub(shift);
      FloatVector shifted = v.fma(splat(LOG2_E), splat(ROUND));
      FloatVector whole = shifted.sub(ROUND);
      FloatVector r = whole.fma(splat(-LN_2_HIGH), v);
      r = whole.fma(splat(-LN_2_LOW), r);
      FloatVector p = splat(1f / 5040).fma(r, splat(1f / 720));
      p = p.fma(r, splat(1f / 120));
      p = p.fma(r, splat(1f / 24));
      p = p.fma(r, splat(1f / 6));
      p = p.fma(r, splat(0.5f));
      p = p.fma(r, splat(1f));
      p = p.fma(r, splat(1f));
      // Two factors, because 2^n alone is out of range where the result is subnormal.
      IntVector exponent = shifted.reinterpretAsInts().sub(ROUND_BITS);
      IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
      IntVector rest = exponent.sub(half);
      FloatVector first =
          half.add(BIAS).lanewise(VectorOperators.LSHL, MANTISSA_BITS).reinterpretAsFloats();
      FloatVector second =
          rest.add(BIAS).lanewise(VectorOperators.LSHL, MANTISSA_BITS).reinterpretAsFloats();
      p.mul(first)
          .mul(second)
          .blend(0f, v.compare(VectorOperators.LT, SMALLEST))
          .blend(Float.POSITIVE_INFINITY, v.compare(VectorOperators.GT, LARGEST))
          .intoArray(out, outFrom + i);
    }
  }

  /**
   * out[i] = exp(x[from + i] − shift); −∞ and below −708 give 0, NaN stays NaN. Beyond n, out is
   * filled with 0 up to the next multiple of the lanes.
   *
   * @accuracy relative error below 1e-14: 8.8e-15 over four million arguments from −700 to 0
   */
  static void exp(float[] x, int from, double shift, double[] out, int n) {
    int i = 0;
    for (; i <= n - D.length(); i += D.length()) {
      widen(FloatVector.fromArray(H, x, from + i)).sub(shift).intoArray(out, i);
    }
    for (; i < n; i++) {
      out[i] = x[from + i] - shift;
    }
    while (i % D.length() != 0) {
      out[i++] = Double.NEGATIVE_INFINITY;
    }
    exp(out, i);
  }

  /** v[i] = exp(v[i]) as above, in place, for n elements, a multiple of the lanes. */
  static void exp(double[] v, int n) {
    for (int i = 0; i < n; i += D.length()) {
      DoubleVector x = DoubleVector.fromArray(D, v, i);
      DoubleVector shifted = x.fma(splat(LOG2_E_DOUBLE), splat(ROUND_DOUBLE));
      DoubleVector whole = shifted.sub(ROUND_DOUBLE);
      DoubleVector r = whole.fma(splat(-LN_2_HIGH_DOUBLE), x);
      r = whole.fma(splat(-LN_2_LOW_DOUBLE), r);
      DoubleVector p = splat(1.0 / 39916800).fma(r, splat(1.0 / 3628800));
      p = p.fma(r, splat(1.0 / 362880));
      p = p.fma(r, splat(1.0 / 40320));
      p = p.fma(r, splat(1.0 / 5040));
      p = p.fma(r, splat(1.0 / 720));
      p = p.fma(r, splat(1.0 / 120));
      p = p.fma(r, splat(1.0 / 24));
      p = p.fma(r, splat(1.0 / 6));
      p = p.fma(r, splat(0.5));
      p = p.fma(r, splat(1.0));
      p = p.fma(r, splat(1.0));
      // The low bits of `shifted` are n; those of its constant vanish in the shift. A NaN has no
      // low bits, unless somebody put them there, so p stays one.
      LongVector exponent =
          shifted.reinterpretAsLongs().lanewise(VectorOperators.LSHL, MANTISSA_BITS_DOUBLE);
      p.reinterpretAsLongs()
          .add(exponent)
          .reinterpretAsDoubles()
          .blend(0.0, x.compare(VectorOperators.LT, SMALLEST_DOUBLE))
          .blend(Double.POSITIVE_INFINITY, x.compare(VectorOperators.GT, LARGEST_DOUBLE))
          .intoArray(v, i);
    }
  }

  /** Returns H lanes as double. */
  static DoubleVector widen(FloatVector v) {
    return (DoubleVector) v.convertShape(VectorOperators.F2D, D, 0);
  }

  /** Returns D lanes as float. */
  static FloatVector narrow(DoubleVector v) {
    return (FloatVector) v.convertShape(VectorOperators.D2F, H, 0);
  }

  private static FloatVector splat(float value) {
    return FloatVector.broadcast(F, value);
  }

  private static DoubleVector splat(double value) {
    return DoubleVector.broadcast(D, value);
  }
}
