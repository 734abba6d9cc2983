package dev.resid.backend.vector;

import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

// Kernels on one row. Sums are in float64: element c goes to lane c mod 2·LD, starting at the row's
// first element, and the lanes are added in order; what is left after whole vectors is added to its
// lanes by itself. So zeros after the last element of a row change
// no sum, which lets attention leave out the keys behind a query.
final class RowKernels {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final VectorSpecies<Float> H = Lanes.H;
  private static final VectorSpecies<Double> D = Lanes.D;
  private static final int L = Lanes.L;
  private static final int LD = Lanes.LD;

  private RowKernels() {}

  static DoubleVector load(float[] x, int at) {
    return Exponentials.widen(FloatVector.fromArray(H, x, at));
  }

  static void store(DoubleVector v, float[] out, int at) {
    Exponentials.narrow(v).intoArray(out, at);
  }

  /** Returns whether no element is infinite or NaN. */
  static boolean allFinite(float[] x, int from, int n) {
    FloatVector zeros = FloatVector.zero(F);
    int i = 0;
    for (; i <= n - L; i += L) {
      zeros = FloatVector.fromArray(F, x, from + i).fma(FloatVector.zero(F), zeros);
    }
    float rest = 0;
    for (; i < n; i++) {
      rest += x[from + i] * 0f;
    }
    return rest == 0f && zeros.compare(VectorOperators.EQ, 0f).allTrue();
  }

  /** Returns the largest element that is not NaN; −∞ if there is none. */
  static float max(float[] x, int from, int n) {
    FloatVector most = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector v = FloatVector.fromArray(F, x, from + i);
      most = most.blend(v, v.compare(VectorOperators.GT, most));
    }
    float max = most.reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      max = x[from + i] > max ? x[from + i] : max;
    }
    return max;
  }

  /** Returns the sum. */
  static double sum(float[] x, int from, int n) {
    DoubleVector even = DoubleVector.zero(D);
    DoubleVector odd = DoubleVector.zero(D);
    int i = 0;
    for (; i <= n - L; i += L) {
      even = even.add(load(x, from + i));
      odd = odd.add(load(x, from + i + LD));
    }
    double[] lanes = new double[L];
    even.intoArray(lanes, 0);
    odd.intoArray(lanes, LD);
    for (int lane = 0; i < n; lane++, i++) {
      lanes[lane] += x[from + i];
    }
    return Lanes.sum(lanes);
  }

  /** Returns Σ a·b. */
  static double dot(float[] a, int aFrom, float[] b, int bFrom, int n) {
    DoubleVector even = DoubleVector.zero(D);
    DoubleVector odd = DoubleVector.zero(D);
    int i = 0;
    for (; i <= n - L; i += L) {
      even = load(a, aFrom + i).fma(load(b, bFrom + i), even);
      odd = load(a, aFrom + i + LD).fma(load(b, bFrom + i + LD), odd);
    }
    double[] lanes = new double[L];
    even.intoArray(lanes, 0);
    odd.intoArray(lanes, LD);
    for (int lane = 0; i < n; lane++, i++) {
      lanes[lane] = Math.fma((double) a[aFrom + i], (double) b[bFrom + i], lanes[lane]);
    }
    return Lanes.sum(lanes);
  }

  /** Returns Σ (a − b)². */
  static double squaredDistance(float[] a, int aFrom, float[] b, int bFrom, int n) {
    DoubleVector even = DoubleVector.zero(D);
    DoubleVector odd = DoubleVector.zero(D);
    int i = 0;
    for (; i <= n - L; i += L) {
      DoubleVector d = load(a, aFrom + i).sub(load(b, bFrom + i));
      DoubleVector e = load(a, aFrom + i + LD).sub(load(b, bFrom + i + LD));
      even = d.fma(d, even);
      odd = e.fma(e, odd);
    }
    double[] lanes = new double[L];
    even.intoArray(lanes, 0);
    odd.intoArray(lanes, LD);
    for (int lane = 0; i < n; lane++, i++) {
      double d = (double) a[aFrom + i] - b[bFrom + i];
      lanes[lane] = Math.fma(d, d, lanes[lane]);
    }
    return Lanes.sum(lanes);
  }

  /** out = exp(x − max) / Σ exp(x − max) over n elements; out may be x at the same place. */
  static void softmax(float[] x, int from, float[] out, int outFrom, int n) {
    double sum = exponentials(x, from, out, outFrom, n);
    Elementwise.scale(out, outFrom, n, (float) (1 / sum));
  }

  /** out = exp(x − max); returns the sum of out. */
  static double exponentials(float[] x, int from, float[] out, int outFrom, int n) {
    Exponentials.exp(x, from, 1f, max(x, from, n), out, outFrom, n);
    return sum(out, outFrom, n);
  }

  /** dX = p·(dP − Σ p·dP); the sum ends with the last p that is not 0. dX may be dP. */
  static void softmaxBackward(
      float[] dP, int dPFrom, float[] p, int pFrom, float[] dX, int dXFrom, int n) {
    int used = lastNonZero(p, pFrom, n) + 1;
    float dot = (float) dot(p, pFrom, dP, dPFrom, used);
    for (int i = 0; i < n; i++) {
      dX[dXFrom + i] = p[pFrom + i] * (dP[dPFrom + i] - dot);
    }
  }

  /** dX = weight·(softmax(x) − [c = label]); 0 everywhere if the label is −1. dX may be x. */
  static void crossEntropyBackward(
      float[] x, float[] dX, int from, int n, int label, double weight) {
    if (label < 0) {
      Arrays.fill(dX, from, from + n, 0f);
      return;
    }
    double sum = exponentials(x, from, dX, from, n);
    double atLabel = dX[from + label] / sum;
    Elementwise.scale(dX, from, n, (float) (weight / sum));
    dX[from + label] = (float) (weight * (atLabel - 1));
  }

  /** Returns the index of the last element that is not 0; −1 if all are. */
  static int lastNonZero(float[] x, int from, int n) {
    int i = n;
    while (i >= L) {
      FloatVector v = FloatVector.fromArray(F, x, from + i - L);
      if (v.compare(VectorOperators.NE, 0f).anyTrue()) {
        break;
      }
      i -= L;
    }
    while (i > 0 && x[from + i - 1] == 0f) {
      i--;
    }
    return i - 1;
  }

  /** Returns √(Σ (x − mean)² / n + epsilon). */
  static double layerNormScale(float[] x, int from, int n, double epsilon) {
    double mean = sum(x, from, n) / n;
    DoubleVector even = DoubleVector.zero(D);
    DoubleVector odd = DoubleVector.zero(D);
    int i = 0;
    for (; i <= n - L; i += L) {
      DoubleVector d = load(x, from + i).sub(mean);
      DoubleVector e = load(x, from + i + LD).sub(mean);
      even = d.fma(d, even);
      odd = e.fma(e, odd);
    }
    double[] lanes = new double[L];
    even.intoArray(lanes, 0);
    odd.intoArray(lanes, LD);
    for (int lane = 0; i < n; lane++, i++) {
      double d = x[from + i] - mean;
      lanes[lane] = Math.fma(d, d, lanes[lane]);
    }
    return Math.sqrt(Lanes.sum(lanes) / n + epsilon);
  }

  /** out = (x − mean)/scale·gamma + beta in float64, rounded once. */
  static void layerNormApply(
      float[] x, int from, double scale, float[] gamma, float[] beta, float[] out, int n) {
    double mean = sum(x, from, n) / n;
    double inverse = 1 / scale;
    int i = 0;
    for (; i <= n - LD; i += LD) {
      DoubleVector normal = load(x, from + i).sub(mean).mul(inverse);
      store(normal.fma(load(gamma, i), load(beta, i)), out, from + i);
    }
    for (; i < n; i++) {
      double normal = (x[from + i] - mean) * inverse;
      out[from + i] = (float) Math.fma(normal, (double) gamma[i], (double) beta[i]);
    }
  }

  /** dX = g − mean(g), g = dOut·gamma/scale. */
  static void layerNormApplyBackwardInput(
      float[] dOut, int from, double scale, float[] gamma, float[] dX, int n) {
    double inverse = 1 / scale;
    double mean = dot(dOut, from, gamma, 0, n) * inverse / n;
    int i = 0;
    for (; i <= n - LD; i += LD) {
      DoubleVector g = load(dOut, from + i).mul(load(gamma, i)).mul(inverse);
      store(g.sub(mean), dX, from + i);
    }
    for (; i < n; i++) {
      dX[from + i] = (float) ((double) dOut[from + i] * gamma[i] * inverse - mean);
    }
  }

  /** Returns −Σ dOut·gamma·(x − mean)/scale². */
  static double layerNormApplyBackwardScale(
      float[] dOut, float[] x, int from, double scale, float[] gamma, int n) {
    double mean = sum(x, from, n) / n;
    DoubleVector sum = DoubleVector.zero(D);
    int i = 0;
    for (; i <= n - LD; i += LD) {
      DoubleVector g = load(dOut, from + i).mul(load(gamma, i));
      sum = g.fma(load(x, from + i).sub(mean), sum);
    }
    double[] lanes = new double[LD];
    sum.intoArray(lanes, 0);
    for (int lane = 0; i < n; lane++, i++) {
      double g = (double) dOut[from + i] * gamma[i];
      lanes[lane] = Math.fma(g, x[from + i] - mean, lanes[lane]);
    }
    return -Lanes.sum(lanes) / (scale * scale);
  }

  /** dX += dScale·(x − mean)/(n·scale). */
  static void layerNormScaleBackward(
      double dScale, float[] x, int from, double scale, float[] dX, int n) {
    double mean = sum(x, from, n) / n;
    double factor = dScale / (n * scale);
    int i = 0;
    for (; i <= n - LD; i += LD) {
      DoubleVector d = load(x, from + i).sub(mean).mul(factor);
      store(d.add(load(dX, from + i)), dX, from + i);
    }
    for (; i < n; i++) {
      dX[from + i] = (float) ((x[from + i] - mean) * factor + dX[from + i]);
    }
  }
}
