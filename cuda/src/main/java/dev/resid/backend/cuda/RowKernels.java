package dev.resid.backend.cuda;

import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireLike;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;

/**
 * What is done row by row: layer norms, softmax, sums, the largest of a row. See {@code rows.cu}.
 */
final class RowKernels {
  private final Calls calls;

  RowKernels(Calls calls) {
    this.calls = calls;
  }

  void layerNormScale(Tensor x, double epsilon, Tensor scale) {
    requireElements("scale", scale, rows(x));
    calls.run(
        call ->
            perRow(
                call.launch("resid_layer_norm_scale")
                    .pointer(call.in(x))
                    .number(epsilon)
                    .pointer(call.out("scale", scale)),
                x));
  }

  // The last two arguments of kernels with one warp a row.
  private static void perRow(Kernels.Launch launch, Tensor x) {
    launch.number((long) rows(x)).number(columns(x)).warps(rows(x));
  }

  void layerNormApply(Tensor x, Tensor scale, Tensor gamma, Tensor beta, Tensor out) {
    requireElements("scale", scale, rows(x));
    requireElements("gamma", gamma, columns(x));
    requireElements("beta", beta, columns(x));
    requireLike("out", out, x);
    calls.run(
        call ->
            perRow(
                call.launch("resid_layer_norm_apply")
                    .pointer(call.in(x))
                    .pointer(call.in(scale))
                    .pointer(call.in(gamma))
                    .pointer(call.in(beta))
                    .pointer(call.out("out", out)),
                x));
  }

  void layerNormApplyBackwardInput(Tensor dOut, Tensor scale, Tensor gamma, Tensor dX) {
    requireElements("scale", scale, rows(dOut));
    requireElements("gamma", gamma, columns(dOut));
    requireLike("dX", dX, dOut);
    calls.run(
        call ->
            perRow(
                call.launch("resid_layer_norm_apply_backward_input")
                    .pointer(call.in(dOut))
                    .pointer(call.in(scale))
                    .pointer(call.in(gamma))
                    .pointer(call.out("dX", dX)),
                dOut));
  }

  void layerNormApplyBackwardScale(
      Tensor dOut, Tensor x, Tensor scale, Tensor gamma, Tensor dScale) {
    requireLike("dOut", dOut, x);
    requireElements("scale", scale, rows(x));
    requireElements("gamma", gamma, columns(x));
    requireElements("dScale", dScale, rows(x));
    calls.run(
        call ->
            perRow(
                call.launch("resid_layer_norm_apply_backward_scale")
                    .pointer(call.in(dOut))
                    .pointer(call.in(x))
                    .pointer(call.in(scale))
                    .pointer(call.in(gamma))
                    .pointer(call.out("dScale", dScale)),
                x));
  }

  void layerNormApplyBackwardParameters(
      Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta) {
    requireLike("dOut", dOut, x);
    requireElements("scale", scale, rows(x));
    requireElements("dGamma", dGamma, columns(x));
    requireElements("dBeta", dBeta, columns(x));
    calls.run(call -> RowOps.layerNormParameters(call, dOut, x, scale, dGamma, dBeta));
  }

  void layerNormScaleBackward(Tensor dScale, Tensor x, Tensor scale, Tensor dX) {
    requireElements("dScale", dScale, rows(x));
    requireElements("scale", scale, rows(x));
    requireLike("dX", dX, x);
    calls.run(
        call ->
            perRow(
                call.launch("resid_layer_norm_scale_backward")
                    .pointer(call.in(dScale))
                    .pointer(call.in(x))
                    .pointer(call.in(scale))
                    .pointer(call.inOut("dX", dX)),
                x));
  }

  void softmax(Tensor x, Tensor out) {
    requireLike("out", out, x);
    calls.run(
        call ->
            perRow(
                call.launch("resid_softmax").pointer(call.in(x)).pointer(call.out("out", out)), x));
  }

  void softmaxBackward(Tensor dP, Tensor p, Tensor dX) {
    requireLike("dP", dP, p);
    requireLike("dX", dX, p);
    calls.run(
        call ->
            perRow(
                call.launch("resid_softmax_backward")
                    .pointer(call.in(dP))
                    .pointer(call.in(p))
                    .pointer(call.out("dX", dX)),
                p));
  }

  void addColumnSums(Tensor x, Tensor sum) {
    requireElements("sum", sum, columns(x));
    calls.run(call -> RowOps.addColumnSums(call, x, sum));
  }

  double[] l2Distance(Tensor a, Tensor b) {
    requireLike("b", b, a);
    return calls.get(call -> RowOps.l2Distance(call, a, b));
  }

  double sumOfSquares(Tensor x) {
    return calls.get(call -> RowOps.sumOfSquares(call, x));
  }

  TopK topK(Tensor x, int k) {
    Operands.requireBetween("k", k, columns(x), x.shape());
    return calls.get(call -> SparseOps.topK(call, x, k));
  }
}
