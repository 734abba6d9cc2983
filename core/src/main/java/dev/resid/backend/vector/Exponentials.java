package dev.resid.backend.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

// exp(x) = 2^n · exp(r) with n = x / ln 2 rounded and |r| ≤ ln 2 / 2; ln 2 is subtracted in two
// parts so that r keeps its digits, and exp(r) is its Taylor polynomial, long enough that the rest
// lies below the rounding. Every lane is computed alike, so a value does not depend on its place.
final class Exponentials {
  private static final float LOG2_E = (float) (1 / Math.log(2));
  private static final float LN_2_HIGH = 0x1.62e4p-1f;
  private static final float LN_2_LOW = (float) (Math.log(2) - 0x1.62e4p-1);
  // Adding 1.5·2^23 leaves no room for a fraction, so the sum is rounded to an integer.
  private static final float ROUND = 0x1.8p23f;
  private static final int ROUND_BITS = Float.floatToRawIntBits(ROUND);
  private static final float SMALLEST = -103.98f;
  private static final float LARGEST = 88.73f;
  private static final int BIAS = 127;
  private static final int MANTISSA_BITS = 23;

  private static final double LOG2_E_DOUBLE = 1 / Math.log(2);
  private static final double LN_2_HIGH_DOUBLE = 0x1.62e42fefap-1;
  private static final double LN_2_LOW_DOUBLE = 0x1.cf79abc9e3b3ap-40;
  private static final double ROUND_DOUBLE = 0x1.8p52;
  private static final double SMALLEST_DOUBLE = -708;
  private static final double LARGEST_DOUBLE = 709;
  private static final int MANTISSA_BITS_DOUBLE = 52;

  // erfc(z) = exp(−z²)·Q(t), t = 1/(1 + z/2): Chebyshev interpolation of Q of degree 14 for z in
  // [0, 12], computed with 40 digits; largest relative error 8e-11.
  private static final double[] ERFC = {
    -2.1678664909122012e-07,
    0.28210297645824456,
    0.281958057719225,
    0.24816502713143201,
    0.16793546310200347,
    0.11903454827361476,
    -0.10324991708257217,
    0.11072569303531886,
    -0.14477711100809212,
    -0.3061031667606207,
    0.910065135228176,
    -0.9706573781846208,
    0.5507509359184457,
    -0.16776384459262456,
    0.021813797552573375
  };

  private Exponentials() {}

  /** Returns exp(x), also where the result is subnormal; NaN stays NaN. */
  static FloatVector exp(FloatVector x) {
    FloatVector shifted = x.fma(FloatVector.broadcast(Lanes.F, LOG2_E), splat(ROUND));
    FloatVector n = shifted.sub(ROUND);
    FloatVector r = n.fma(splat(-LN_2_HIGH), x);
    r = n.fma(splat(-LN_2_LOW), r);
    FloatVector p = splat(1f / 5040).fma(r, splat(1f / 720));
    p = p.fma(r, splat(1f / 120));
    p = p.fma(r, splat(1f / 24));
    p = p.fma(r, splat(1f / 6));
    p = p.fma(r, splat(0.5f));
    p = p.fma(r, splat(1f));
    p = p.fma(r, splat(1f));
    // Two factors, because 2^n alone is out of range where the result is subnormal.
    var exponent = shifted.reinterpretAsInts().sub(ROUND_BITS);
    var half = exponent.lanewise(VectorOperators.ASHR, 1);
    var rest = exponent.sub(half);
    FloatVector first =
        half.add(BIAS).lanewise(VectorOperators.LSHL, MANTISSA_BITS).reinterpretAsFloats();
    FloatVector second =
        rest.add(BIAS).lanewise(VectorOperators.LSHL, MANTISSA_BITS).reinterpretAsFloats();
    FloatVector result = p.mul(first).mul(second);
    result = result.blend(0f, x.compare(VectorOperators.LT, SMALLEST));
    return result.blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, LARGEST));
  }

  /** Returns 1/(1 + exp(−x)). */
  static FloatVector logistic(FloatVector x) {
    return splat(1f).div(exp(x.neg()).add(1f));
  }

  /** Returns exp(x) with a relative error of 1e-14; 0 below −708, NaN for NaN. */
  static DoubleVector exp(DoubleVector x) {
    DoubleVector shifted = x.fma(splat(LOG2_E_DOUBLE), splat(ROUND_DOUBLE));
    DoubleVector n = shifted.sub(ROUND_DOUBLE);
    DoubleVector r = n.fma(splat(-LN_2_HIGH_DOUBLE), x);
    r = n.fma(splat(-LN_2_LOW_DOUBLE), r);
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
    // The low bits of `shifted` are n; the bits of its constant vanish in the shift.
    var exponent =
        shifted.reinterpretAsLongs().lanewise(VectorOperators.LSHL, MANTISSA_BITS_DOUBLE);
    DoubleVector result = p.reinterpretAsLongs().add(exponent).reinterpretAsDoubles();
    VectorMask<Double> nan = x.test(VectorOperators.IS_NAN);
    result = result.blend(0.0, x.compare(VectorOperators.LT, SMALLEST_DOUBLE));
    result =
        result.blend(
            Double.POSITIVE_INFINITY, x.compare(VectorOperators.GT, LARGEST_DOUBLE));
    return result.blend(Double.NaN, nan);
  }

  /** Returns tanh(x). */
  static DoubleVector tanh(DoubleVector x) {
    DoubleVector e = exp(x.add(x));
    DoubleVector result = splat(1.0).sub(splat(2.0).div(e.add(1.0)));
    // Near 0 the difference loses digits: there x − x³/3, with an error below 2e-17·|x|.
    DoubleVector small = x.mul(x).mul(-1.0 / 3).fma(x, x);
    return result.blend(small, x.abs().compare(VectorOperators.LT, 1e-4));
  }

  /** Returns Φ(x), the standard normal distribution function. */
  static DoubleVector normalDistribution(DoubleVector x) {
    DoubleVector z = x.abs().mul(Math.sqrt(0.5));
    DoubleVector t = splat(1.0).div(z.fma(splat(0.5), splat(1.0)));
    DoubleVector q = splat(ERFC[ERFC.length - 1]);
    for (int i = ERFC.length - 2; i >= 0; i--) {
      q = q.fma(t, splat(ERFC[i]));
    }
    DoubleVector tail = q.mul(exp(x.mul(x).mul(-0.5))).mul(0.5);
    return tail.blend(splat(1.0).sub(tail), x.compare(VectorOperators.GT, 0.0));
  }

  private static FloatVector splat(float value) {
    return FloatVector.broadcast(Lanes.F, value);
  }

  private static DoubleVector splat(double value) {
    return DoubleVector.broadcast(Lanes.D, value);
  }
}
