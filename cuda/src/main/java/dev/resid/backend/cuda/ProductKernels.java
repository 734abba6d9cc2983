package dev.resid.backend.cuda;

import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.backend.cuda.ProductOps.Rows;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.OperandChecks;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;

/** Products with weight matrices, dense and sparse. */
final class ProductKernels {
  private final Calls calls;
  private final ProductOps products;
  private final SparseOps sparse;

  ProductKernels(Calls calls, ProductOps products, SparseOps sparse) {
    this.calls = calls;
    this.products = products;
    this.sparse = sparse;
  }

  void linear(Tensor x, Matrix w, Tensor bias, Activation activation, Tensor out) {
    calls.run(
        call -> {
          DeviceMatrix matrix = unembedding(call, x, w, bias);
          requireRows("out", out, rows(x), matrix.out);
          long to = call.out("out", out);
          products.multiply(
              rows(x),
              Rows.of(call.in(x), matrix.in),
              Rows.of(matrix.values.address(), matrix.out),
              Rows.of(to, matrix.out));
          call.launch("resid_bias_activate")
              .pointer(to)
              .pointer(call.in(bias))
              .number(activation.ordinal())
              .number(out.elements())
              .number(matrix.out)
              .overElements(out.elements());
        });
  }

  // The matrix of a product x·w + bias, after its operands were checked.
  static DeviceMatrix unembedding(Call call, Tensor x, Matrix w, Tensor bias) {
    DeviceMatrix matrix = call.matrix(w);
    requireRows("x", x, rows(x), matrix.in);
    requireElements("bias", bias, matrix.out);
    return matrix;
  }

  void linearBackwardInput(Tensor dOut, Matrix w, Tensor dX) {
    calls.run(
        call -> {
          DeviceMatrix matrix = call.matrix(w);
          requireRows("dOut", dOut, rows(dOut), matrix.out);
          requireRows("dX", dX, rows(dOut), matrix.in);
          products.multiplyTransposed(
              rows(dOut),
              Rows.of(call.in(dOut), matrix.out),
              Rows.of(matrix.values.address(), matrix.out),
              Rows.of(call.out("dX", dX), matrix.in));
        });
  }

  void addOuterProducts(Tensor a, Tensor b, Tensor sum) {
    int m = columns(a);
    int n = columns(b);
    requireRows("b", b, rows(a), n);
    requireRows("sum", sum, m, n);
    calls.run(
        call ->
            products.addOuterProducts(
                rows(a),
                Rows.of(call.in(a), m),
                Rows.of(call.in(b), n),
                Rows.of(call.inOut("sum", sum), n)));
  }

  SparseRows linearAbove(Tensor x, Matrix w, Tensor bias, Tensor threshold) {
    return calls.get(
        call -> {
          DeviceMatrix matrix = unembedding(call, x, w, bias);
          requireElements("threshold", threshold, matrix.out);
          return sparse.linearAbove(call, x, matrix, bias, threshold);
        });
  }

  SparseRows linearTopK(Tensor x, Matrix w, Tensor bias, Tensor scale, int k) {
    return calls.get(
        call -> {
          DeviceMatrix matrix = unembedding(call, x, w, bias);
          requireElements("scale", scale, matrix.out);
          Operands.requireBetween("k", k, matrix.out, matrix.shape());
          return sparse.linearTopK(call, x, matrix, bias, scale, k);
        });
  }

  void sparseLinear(SparseRows x, Tensor w, Tensor bias, Tensor out) {
    requireRows("w", w, x.columns(), columns(w));
    requireElements("bias", bias, columns(w));
    requireRows("out", out, x.rows(), columns(w));
    OperandChecks.requireColumns(x);
    calls.run(call -> SparseOps.sparseLinear(call, x, w, bias, out));
  }
}
