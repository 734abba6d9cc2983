package dev.resid.backend.vector;

import static dev.resid.backend.vector.Operands.in;
import static dev.resid.backend.vector.Operands.out;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.OperandChecks;
import dev.resid.tensor.Tensor;

/** Element-wise operations: checks operands and runs the kernels on parts of their arrays. */
final class ElementOps {
  private final Tasks tasks;
  private final FirstPasses firstPasses;

  ElementOps(Tasks tasks, FirstPasses firstPasses) {
    this.tasks = tasks;
    this.firstPasses = firstPasses;
  }

  void activate(Tensor x, Activation activation, Tensor out) {
    requireElements("out", out, OperandChecks.elements(x));
    float[] from = in(x);
    float[] to = out(out);
    int elements = OperandChecks.elements(x);
    if (PlainKernels.has(activation)
        && firstPasses.take(rows(x), PlainKernels.NANOS_TO_ACTIVATE * elements)) {
      tasks.perChunk(
          elements,
          (i, n, scratch) -> {
            System.arraycopy(from, i, to, i, n);
            PlainKernels.apply(activation, to, i, n);
          });
      return;
    }
    tasks.perChunk(
        elements, (i, n, scratch) -> Activations.apply(activation, from, i, to, i, n, scratch));
  }

  void activateBackward(Tensor dOut, Tensor x, Activation activation, Tensor dX) {
    requireElements("dOut", dOut, OperandChecks.elements(x));
    requireElements("dX", dX, OperandChecks.elements(x));
    float[] gradient = in(dOut);
    float[] from = in(x);
    float[] to = out(dX);
    tasks.perChunk(
        OperandChecks.elements(x),
        (i, n, scratch) -> Activations.backward(activation, gradient, from, to, i, n, scratch));
  }

  void add(Tensor a, Tensor b, Tensor out) {
    requireElements("b", b, OperandChecks.elements(a));
    requireElements("out", out, OperandChecks.elements(a));
    float[] left = in(a);
    float[] right = in(b);
    float[] to = out(out);
    tasks.perChunk(
        OperandChecks.elements(a), (i, n, scratch) -> Elementwise.add(left, right, to, i, i + n));
  }

  void addScaled(Tensor a, double factor, Tensor b, Tensor out) {
    requireElements("b", b, OperandChecks.elements(a));
    requireElements("out", out, OperandChecks.elements(a));
    float[] left = in(a);
    float[] right = in(b);
    float[] to = out(out);
    tasks.perChunk(
        OperandChecks.elements(a),
        (i, n, scratch) -> Elementwise.addScaled(left, (float) factor, right, to, i, i + n));
  }

  double sumOfSquares(Tensor x) {
    int elements = OperandChecks.elements(x);
    float[] from = in(x);
    double[] parts = new double[(elements + Tasks.CHUNK - 1) / Tasks.CHUNK];
    tasks.perChunk(
        elements, (i, n, scratch) -> parts[i / Tasks.CHUNK] = RowKernels.dot(from, i, from, i, n));
    double sum = 0;
    for (double part : parts) {
      sum += part;
    }
    return sum;
  }

  void adamW(AdamStep step, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
    int elements = OperandChecks.elements(parameter);
    requireElements("gradient", gradient, elements);
    requireElements("moment1", moment1, elements);
    requireElements("moment2", moment2, elements);
    float[] p = out(parameter);
    float[] g = in(gradient);
    float[] first = out(moment1);
    float[] second = out(moment2);
    tasks.perChunk(
        elements, (i, n, scratch) -> Elementwise.adamW(step, p, g, first, second, i, i + n));
  }
}
