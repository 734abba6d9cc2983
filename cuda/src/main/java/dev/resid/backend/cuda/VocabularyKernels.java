package dev.resid.backend.cuda;

import static dev.resid.tensor.OperandChecks.columns;
import static dev.resid.tensor.OperandChecks.requireIndices;
import static dev.resid.tensor.OperandChecks.requireLike;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Matrix;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;

/** Reductions over the vocabulary. */
final class VocabularyKernels {
  private final Calls calls;
  private final VocabularyOps vocabulary;

  VocabularyKernels(Calls calls, VocabularyOps vocabulary) {
    this.calls = calls;
    this.vocabulary = vocabulary;
  }

  double[] crossEntropy(Tensor logits, int[] labels) {
    requireIndices("labels", labels, rows(logits), -1, columns(logits));
    return calls.get(
        call ->
            VocabularyOps.crossEntropy(
                call, call.in(logits), rows(logits), columns(logits), labels));
  }

  void crossEntropyBackward(Tensor logits, int[] labels, double weight, Tensor dLogits) {
    requireIndices("labels", labels, rows(logits), -1, columns(logits));
    requireLike("dLogits", dLogits, logits);
    calls.run(
        call ->
            VocabularyOps.crossEntropyBackward(
                call,
                call.in(logits),
                rows(logits),
                columns(logits),
                labels,
                weight,
                call.out("dLogits", dLogits)));
  }

  double[] unembedCrossEntropy(Tensor x, Matrix w, Tensor bias, int[] labels) {
    return calls.get(
        call -> {
          DeviceMatrix matrix = ProductKernels.unembedding(call, x, w, bias);
          requireIndices("labels", labels, rows(x), -1, matrix.out);
          return vocabulary.unembedCrossEntropy(
              call, call.in(x), rows(x), matrix, call.in(bias), labels);
        });
  }

  double[] unembedLogSumExp(Tensor x, Matrix w, Tensor bias) {
    return calls.get(
        call -> {
          DeviceMatrix matrix = ProductKernels.unembedding(call, x, w, bias);
          return vocabulary.unembedLogSumExp(call, call.in(x), rows(x), matrix, call.in(bias));
        });
  }

  double[] unembedKl(Tensor base, Tensor perturbed, Matrix w, Tensor bias) {
    return calls.get(
        call -> {
          DeviceMatrix matrix = ProductKernels.unembedding(call, base, w, bias);
          int R = rows(base);
          int changed = rows(perturbed);
          requireRows("perturbed", perturbed, changed, matrix.in);
          if (R == 0 ? changed != 0 : changed % R != 0) {
            throw new ShapeMismatchException(
                "perturbed is "
                    + perturbed.shape()
                    + ", expected a multiple of the rows of base, "
                    + base.shape());
          }
          return vocabulary.unembedKl(
              call, call.in(base), R, call.in(perturbed), changed, matrix, call.in(bias));
        });
  }
}
