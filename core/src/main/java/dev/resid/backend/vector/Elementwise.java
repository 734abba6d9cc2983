package dev.resid.backend.vector;

import dev.resid.tensor.AdamStep;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Loops over stretches of arrays in which every element is computed for itself. */
final class Elementwise {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final VectorSpecies<Float> H = Lanes.H;

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
      FloatVector.fromArray(F, b, i).fma(FloatVector.broadcast(F, factor), sum).intoArray(out, i);
    }
    for (; i < to; i++) {
      out[i] = Math.fma(factor, b[i], a[i]);
    }
  }

  /** out[outFrom + i] = fma(factor, b[bFrom + i], out[outFrom + i]). */
  static void addScaled(float factor, float[] b, int bFrom, float[] out, int outFrom, int n) {
    int i = 0;
    for (; i <= n - F.length(); i += F.length()) {
      FloatVector.broadcast(F, factor)
          .fma(FloatVector.fromArray(F, b, bFrom + i), FloatVector.fromArray(F, out, outFrom + i))
          .intoArray(out, outFrom + i);
    }
    for (; i < n; i++) {
      out[outFrom + i] = Math.fma(factor, b[bFrom + i], out[outFrom + i]);
    }
  }

  /** a[from + i] *= factor. */
  static void scale(float[] a, int from, int n, float factor) {
    for (int i = 0; i < n; i++) {
      a[from + i] *= factor;
    }
  }

  /**
   * One AdamW step on the elements from `from` to `to`. Moments and parameters are computed in
   * float64 and rounded once; the root and the quotient of the update are float32.
   */
  static void adamW(
      AdamStep step, float[] parameter, float[] gradient, float[] m, float[] v, int from, int to) {
    double correction1 = 1 - Math.pow(step.beta1(), step.step());
    double correction2 = 1 - Math.pow(step.beta2(), step.step());
    double keep = 1 - step.learningRate() * step.weightDecay();
    double rate = step.learningRate() / correction1;
    double beta1 = step.beta1();
    double beta2 = step.beta2();
    double scale1 = (1 - beta1) * step.gradientScale();
    double scale2 = (1 - beta2) * step.gradientScale() * step.gradientScale();
    double unbias = 1 / correction2;
    float epsilon = (float) step.epsilon();
    int i = from;
    for (; i <= to - H.length(); i += H.length()) {
      DoubleVector g = RowKernels.load(gradient, i);
      DoubleVector first = RowKernels.load(m, i).mul(beta1).add(g.mul(scale1));
      DoubleVector second = RowKernels.load(v, i).mul(beta2).add(g.mul(g).mul(scale2));
      FloatVector root = Exponentials.narrow(second.mul(unbias)).sqrt().add(epsilon);
      FloatVector update = Exponentials.narrow(first.mul(rate)).div(root);
      DoubleVector p = RowKernels.load(parameter, i).mul(keep).sub(Exponentials.widen(update));
      RowKernels.store(p, parameter, i);
      RowKernels.store(first, m, i);
      RowKernels.store(second, v, i);
    }
    for (; i < to; i++) {
      double g = gradient[i];
      double first = m[i] * beta1 + g * scale1;
      double second = v[i] * beta2 + g * g * scale2;
      float root = (float) Math.sqrt((float) (second * unbias)) + epsilon;
      parameter[i] = (float) (parameter[i] * keep - (float) (first * rate) / root);
      m[i] = (float) first;
      v[i] = (float) second;
    }
  }
}
