package dev.resid.backend.vector;

import dev.resid.tensor.AdamStep;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Loops over stretches of arrays in which every element is computed for itself. */
final class Elementwise {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final VectorSpecies<Float> H = Lanes.H;
  private static final VectorSpecies<Double> D = Lanes.D;

  private Elementwise() {}

  /** a[aFrom + i] += b[bFrom + i]. */
  static void addInPlace(float[] a, int aFrom, float[] b, int bFrom, int n) {
    for (int i = 0; i < n; i++) {
      a[aFrom + i] += b[bFrom + i];
    }
  }

  /** out[i] = a[i] + b[i] from `from` to `to`. */
  static void add(float[] a, float[] b, float[] out, int from, int to) {
    for (int i = from; i < to; i++) {
      out[i] = a[i] + b[i];
    }
  }

  /** out[i] = fma(factor, b[i], a[i]) from `from` to `to`. */
  static void addScaled(float[] a, float factor, float[] b, float[] out, int from, int to) {
    int i = from;
    for (; i <= to - F.length(); i += F.length()) {
      FloatVector sum = FloatVector.fromArray(F, a, i);
      FloatVector.fromArray(F, b, i)
          .fma(FloatVector.broadcast(F, factor), sum)
          .intoArray(out, i);
    }
    for (; i < to; i++) {
      out[i] = Math.fma(factor, b[i], a[i]);
    }
  }

  /** a[from + i] *= factor. */
  static void scale(float[] a, int from, int n, float factor) {
    for (int i = 0; i < n; i++) {
      a[from + i] *= factor;
    }
  }

  /** One AdamW step on the elements from `from` to `to`, in float64, each result rounded once. */
  static void adamW(
      AdamStep step, float[] parameter, float[] gradient, float[] m, float[] v, int from, int to) {
    double correction1 = 1 - Math.pow(step.beta1(), step.step());
    double correction2 = 1 - Math.pow(step.beta2(), step.step());
    double rate = step.learningRate();
    double decay = rate * step.weightDecay();
    for (int i = from; i < to; i += H.length()) {
      VectorMask<Float> mask = H.indexInRange(i, to);
      DoubleVector p = load(parameter, i, mask);
      DoubleVector g = load(gradient, i, mask).mul(step.gradientScale());
      DoubleVector first = load(m, i, mask).mul(step.beta1()).add(g.mul(1 - step.beta1()));
      DoubleVector second =
          load(v, i, mask).mul(step.beta2()).add(g.mul(g).mul(1 - step.beta2()));
      DoubleVector root = second.div(correction2).sqrt().add(step.epsilon());
      DoubleVector update = first.div(correction1).mul(rate).div(root);
      store(p.sub(p.mul(decay)).sub(update), parameter, i, mask);
      store(first, m, i, mask);
      store(second, v, i, mask);
    }
  }

  private static DoubleVector load(float[] a, int i, VectorMask<Float> mask) {
    FloatVector v = FloatVector.fromArray(H, a, i, mask);
    return (DoubleVector) v.convertShape(VectorOperators.F2D, D, 0);
  }

  private static void store(DoubleVector v, float[] a, int i, VectorMask<Float> mask) {
    ((FloatVector) v.convertShape(VectorOperators.D2F, H, 0)).intoArray(a, i, mask);
  }
}
