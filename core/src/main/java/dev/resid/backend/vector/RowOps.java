package dev.resid.backend.vector;

import static dev.resid.backend.vector.Operands.in;
import static dev.resid.backend.vector.Operands.out;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;

/** Softmax, distances and largest entries: checks operands and runs the kernels on rows. */
final class RowOps {
  private final Tasks tasks;

  RowOps(Tasks tasks) {
    this.tasks = tasks;
  }

  void softmax(Tensor x, Tensor out) {
    int width = x.shape().last();
    requireRows("out", out, rows(x), width);
    float[] from = in(x);
    float[] to = out(out);
    tasks.perRow(rows(x), width, r -> RowKernels.softmax(from, r * width, to, r * width, width));
  }

  void softmaxBackward(Tensor dP, Tensor p, Tensor dX) {
    int width = p.shape().last();
    requireRows("dP", dP, rows(p), width);
    requireRows("dX", dX, rows(p), width);
    float[] gradient = in(dP);
    float[] from = in(p);
    float[] to = out(dX);
    tasks.perRow(
        rows(p),
        width,
        r ->
            RowKernels.softmaxBackward(gradient, r * width, from, r * width, to, r * width, width));
  }

  double[] l2Distance(Tensor a, Tensor b) {
    int width = a.shape().last();
    requireRows("b", b, rows(a), width);
    float[] left = in(a);
    float[] right = in(b);
    double[] result = new double[rows(a)];
    tasks.perRow(
        rows(a),
        width,
        r ->
            result[r] =
                Math.sqrt(RowKernels.squaredDistance(left, r * width, right, r * width, width)));
    return result;
  }

  TopK topK(Tensor x, int k) {
    int width = x.shape().last();
    if (k < 0 || k > width) {
      throw new IllegalArgumentException(
          "k is " + k + ", expected 0 to the last axis of " + x.shape());
    }
    float[] from = in(x);
    int[] indices = new int[Math.multiplyExact(rows(x), k)];
    float[] values = new float[indices.length];
    tasks.perRow(
        rows(x), width, r -> LargestEntries.of(from, r * width, width, k, indices, values, r * k));
    return new TopK(k, indices, values);
  }
}
