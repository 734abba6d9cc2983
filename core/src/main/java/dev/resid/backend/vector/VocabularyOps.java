package dev.resid.backend.vector;

import static dev.resid.backend.vector.Operands.in;
import static dev.resid.backend.vector.Operands.out;
import static dev.resid.backend.vector.Operands.packed;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireIndices;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.tensor.Matrix;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.util.Arrays;

/** Cross-entropies and KL over the vocabulary: checks operands and runs the kernels. */
final class VocabularyOps {
  private final Tasks tasks;
  private final Vocabulary vocabulary;

  VocabularyOps(Tasks tasks, Vocabulary vocabulary) {
    this.tasks = tasks;
    this.vocabulary = vocabulary;
  }

  double[] crossEntropy(Tensor logits, int[] labels) {
    int width = logits.shape().last();
    requireIndices("labels", labels, rows(logits), -1, width);
    float[] from = in(logits);
    double[] nats = vocabulary.logSumExp(from, rows(logits), width);
    for (int r = 0; r < nats.length; r++) {
      nats[r] = labels[r] < 0 ? 0 : nats[r] - from[r * width + labels[r]];
    }
    return nats;
  }

  void crossEntropyBackward(Tensor logits, int[] labels, double weight, Tensor dLogits) {
    int width = logits.shape().last();
    requireIndices("labels", labels, rows(logits), -1, width);
    requireRows("dLogits", dLogits, rows(logits), width);
    float[] from = in(logits);
    float[] to = out(dLogits);
    tasks.perRow(
        rows(logits),
        width,
        r -> RowKernels.crossEntropyBackward(from, to, r * width, width, labels[r], weight));
  }

  double[] unembedCrossEntropy(Tensor x, Matrix w, Tensor bias, int[] labels) {
    PackedMatrix matrix = unembedding(x, w, bias);
    requireIndices("labels", labels, rows(x), -1, matrix.out);
    double[] picked = new double[labels.length];
    double[] nats = vocabulary.unembedLogSumExp(in(x), rows(x), matrix, in(bias), labels, picked);
    for (int r = 0; r < nats.length; r++) {
      nats[r] = labels[r] < 0 ? 0 : nats[r] - picked[r];
    }
    return nats;
  }

  double[] unembedLogSumExp(Tensor x, Matrix w, Tensor bias) {
    PackedMatrix matrix = unembedding(x, w, bias);
    int[] none = new int[rows(x)];
    Arrays.fill(none, -1);
    return vocabulary.unembedLogSumExp(
        in(x), rows(x), matrix, in(bias), none, new double[none.length]);
  }

  double[] unembedKl(Tensor base, Tensor perturbed, Matrix w, Tensor bias) {
    int[] none = new int[rows(perturbed)];
    Arrays.fill(none, -1);
    return unembedKlAndCrossEntropy(base, perturbed, w, bias, none, new double[none.length]);
  }

  double[] unembedKlAndCrossEntropy(
      Tensor base,
      Tensor perturbed,
      Matrix w,
      Tensor bias,
      int[] labels,
      double[] crossEntropyNats) {
    PackedMatrix matrix = unembedding(base, w, bias);
    int baseRows = rows(base);
    requireRows("perturbed", perturbed, rows(perturbed), matrix.in);
    if (baseRows == 0 ? rows(perturbed) != 0 : rows(perturbed) % baseRows != 0) {
      throw new ShapeMismatchException(
          "perturbed is "
              + perturbed.shape()
              + ", expected a multiple of the rows of base, "
              + base.shape());
    }
    requireIndices("labels", labels, rows(perturbed), -1, matrix.out);
    return vocabulary.unembedKl(
        in(base), baseRows, in(perturbed), matrix, in(bias), labels, crossEntropyNats);
  }

  /** Requires rows, a matrix and a bias that belong together, and returns the matrix. */
  static PackedMatrix unembedding(Tensor x, Matrix w, Tensor bias) {
    PackedMatrix matrix = packed(w);
    requireRows("x", x, rows(x), matrix.in);
    requireElements("bias", bias, matrix.out);
    return matrix;
  }
}
