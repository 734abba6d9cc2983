package dev.resid.backend.vector;

import static dev.resid.backend.vector.Operands.in;
import static dev.resid.backend.vector.Operands.out;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Tensor;

/** Layer norms and their gradients: checks operands and runs the kernels on rows. */
final class LayerNormOps {
  private final Tasks tasks;
  private final ColumnKernels columns;
  private final FirstPasses firstPasses;

  LayerNormOps(Tasks tasks, ColumnKernels columns, FirstPasses firstPasses) {
    this.tasks = tasks;
    this.columns = columns;
    this.firstPasses = firstPasses;
  }

  void layerNormScale(Tensor x, double epsilon, Tensor scale) {
    int width = x.shape().last();
    requireElements("scale", scale, rows(x));
    float[] from = in(x);
    float[] to = out(scale);
    boolean plain = firstPasses.take(rows(x), PlainKernels.NANOS_TO_NORM * rows(x) * width);
    tasks.perRow(
        rows(x),
        width,
        r ->
            to[r] =
                (float)
                    (plain
                        ? PlainKernels.layerNormScale(from, r * width, width, epsilon)
                        : RowKernels.layerNormScale(from, r * width, width, epsilon)));
  }

  void layerNormApply(Tensor x, Tensor scale, Tensor gamma, Tensor beta, Tensor out) {
    int width = x.shape().last();
    requireElements("scale", scale, rows(x));
    requireElements("gamma", gamma, width);
    requireElements("beta", beta, width);
    requireRows("out", out, rows(x), width);
    float[] from = in(x);
    float[] scales = in(scale);
    float[] gammas = in(gamma);
    float[] betas = in(beta);
    float[] to = out(out);
    boolean plain = firstPasses.take(rows(x), PlainKernels.NANOS_TO_NORM * rows(x) * width);
    tasks.perRow(
        rows(x),
        width,
        r -> {
          if (plain) {
            PlainKernels.layerNormApply(from, r * width, scales[r], gammas, betas, to, width);
          } else {
            RowKernels.layerNormApply(from, r * width, scales[r], gammas, betas, to, width);
          }
        });
  }

  void layerNormApplyBackwardInput(Tensor dOut, Tensor scale, Tensor gamma, Tensor dX) {
    int width = dOut.shape().last();
    requireElements("scale", scale, rows(dOut));
    requireElements("gamma", gamma, width);
    requireRows("dX", dX, rows(dOut), width);
    float[] from = in(dOut);
    float[] scales = in(scale);
    float[] gammas = in(gamma);
    float[] to = out(dX);
    tasks.perRow(
        rows(dOut),
        width,
        r -> RowKernels.layerNormApplyBackwardInput(from, r * width, scales[r], gammas, to, width));
  }

  void layerNormApplyBackwardScale(
      Tensor dOut, Tensor x, Tensor scale, Tensor gamma, Tensor dScale) {
    int width = x.shape().last();
    requireRows("dOut", dOut, rows(x), width);
    requireElements("scale", scale, rows(x));
    requireElements("gamma", gamma, width);
    requireElements("dScale", dScale, rows(x));
    float[] gradient = in(dOut);
    float[] from = in(x);
    float[] scales = in(scale);
    float[] gammas = in(gamma);
    float[] to = out(dScale);
    tasks.perRow(
        rows(x),
        width,
        r ->
            to[r] =
                (float)
                    RowKernels.layerNormApplyBackwardScale(
                        gradient, from, r * width, scales[r], gammas, width));
  }

  void layerNormApplyBackwardParameters(
      Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta) {
    int width = x.shape().last();
    requireRows("dOut", dOut, rows(x), width);
    requireElements("scale", scale, rows(x));
    requireElements("dGamma", dGamma, width);
    requireElements("dBeta", dBeta, width);
    columns.layerNormParameters(
        in(dOut), in(x), in(scale), rows(x), width, out(dGamma), out(dBeta));
  }

  void layerNormScaleBackward(Tensor dScale, Tensor x, Tensor scale, Tensor dX) {
    int width = x.shape().last();
    requireElements("dScale", dScale, rows(x));
    requireElements("scale", scale, rows(x));
    requireRows("dX", dX, rows(x), width);
    float[] gradient = in(dScale);
    float[] from = in(x);
    float[] scales = in(scale);
    float[] to = out(dX);
    tasks.perRow(
        rows(x),
        width,
        r -> RowKernels.layerNormScaleBackward(gradient[r], from, r * width, scales[r], to, width));
  }
}
