package dev.resid.backend.scalar;

import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.OperandChecks;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;

/**
 * The reference backend: one thread, plain loops, sums in float64 in ascending order, each output
 * rounded to float once. Exponentials come from {@link StrictMath}, so its results have the same
 * bits on every machine. Temporaries of its scopes are NaN until they are written.
 *
 * @accuracy an output is the formula's value in float64 arithmetic, rounded; where a method is a
 *     composition, each part rounds
 */
public final class ScalarBackend implements Backend {
  static final String NAME = "scalar";
  static final String DESCRIPTION = "scalar: float64 sums, 1 thread";

  /** Creates the backend. */
  public ScalarBackend() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String description() {
    return DESCRIPTION;
  }

  @Override
  public Tensor allocate(Shape shape) {
    return Tensor.zeros(shape);
  }

  @Override
  public Scope scope() {
    return new ScalarScope();
  }

  @Override
  public void copy(Tensor from, Tensor to) {
    OperandChecks.requireElements("to", to, from.elements());
    float[] target = Operands.output("to", to);
    from.storage().read(0, target, 0, Math.toIntExact(from.elements()));
  }

  @Override
  public Matrix pack(Tensor w) {
    return ScalarMatrix.of(w);
  }

  @Override
  public Matrix packTransposed(Tensor w) {
    return ScalarMatrix.ofTransposed(w);
  }

  @Override
  public void repack(Tensor w, Matrix target) {
    Operands.matrix(target).fill(w);
  }

  @Override
  public void repackTransposed(Tensor w, Matrix target) {
    Operands.matrix(target).fillTransposed(w);
  }

  @Override
  public void gatherRows(Tensor table, int[] ids, Tensor out) {
    Rows.gatherRows(table, ids, out);
  }

  @Override
  public void gatherColumns(Matrix w, int[] ids, Tensor out) {
    Rows.gatherColumns(w, ids, out);
  }

  @Override
  public void scatterAddRows(Tensor rows, int[] ids, Tensor table) {
    Rows.scatterAddRows(rows, ids, table);
  }

  @Override
  public void layerNormScale(Tensor x, double epsilon, Tensor scale) {
    LayerNorm.scale(x, epsilon, scale);
  }

  @Override
  public void layerNormApply(Tensor x, Tensor scale, Tensor gamma, Tensor beta, Tensor out) {
    LayerNorm.apply(x, scale, gamma, beta, out);
  }

  @Override
  public void layerNormApplyBackwardInput(Tensor dOut, Tensor scale, Tensor gamma, Tensor dX) {
    LayerNorm.applyBackwardInput(dOut, scale, gamma, dX);
  }

  @Override
  public void layerNormApplyBackwardScale(
      Tensor dOut, Tensor x, Tensor scale, Tensor gamma, Tensor dScale) {
    LayerNorm.applyBackwardScale(dOut, x, scale, gamma, dScale);
  }

  @Override
  public void layerNormApplyBackwardParameters(
      Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta) {
    LayerNorm.applyBackwardParameters(dOut, x, scale, dGamma, dBeta);
  }

  @Override
  public void layerNormScaleBackward(Tensor dScale, Tensor x, Tensor scale, Tensor dX) {
    LayerNorm.scaleBackward(dScale, x, scale, dX);
  }

  @Override
  public void linear(Tensor x, Matrix w, Tensor bias, Activation activation, Tensor out) {
    Products.linear(x, w, bias, activation, out);
  }

  @Override
  public void linearBackwardInput(Tensor dOut, Matrix w, Tensor dX) {
    Products.linearBackwardInput(dOut, w, dX);
  }

  @Override
  public void addOuterProducts(Tensor a, Tensor b, Tensor sum) {
    Products.addOuterProducts(a, b, sum);
  }

  @Override
  public void addColumnSums(Tensor x, Tensor sum) {
    Products.addColumnSums(x, sum);
  }

  @Override
  public SparseRows linearAbove(Tensor x, Matrix w, Tensor bias, Tensor threshold) {
    return SparseProducts.linearAbove(x, w, bias, threshold);
  }

  @Override
  public SparseRows linearTopK(Tensor x, Matrix w, Tensor bias, Tensor scale, int k) {
    return SparseProducts.linearTopK(x, w, bias, scale, k);
  }

  @Override
  public void sparseLinear(SparseRows x, Tensor w, Tensor bias, Tensor out) {
    SparseProducts.sparseLinear(x, w, bias, out);
  }

  @Override
  public void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
    Attention.attention(q, k, v, spec, z);
  }

  @Override
  public void attentionScores(Tensor q, Tensor k, AttentionSpec spec, Tensor scores) {
    Attention.scores(q, k, spec, scores);
  }

  @Override
  public void softmax(Tensor x, Tensor out) {
    Rows.softmax(x, out);
  }

  @Override
  public void attentionMix(Tensor pattern, Tensor v, Tensor z) {
    Attention.mix(pattern, v, z);
  }

  @Override
  public void attentionBackward(
      Tensor dZ,
      Tensor q,
      Tensor k,
      Tensor v,
      AttentionSpec spec,
      Tensor dQ,
      Tensor dK,
      Tensor dV) {
    Attention.attentionBackward(dZ, q, k, v, spec, dQ, dK, dV);
  }

  @Override
  public void attentionMixBackward(
      Tensor dZ, Tensor pattern, Tensor v, Tensor dPattern, Tensor dV) {
    Attention.mixBackward(dZ, pattern, v, dPattern, dV);
  }

  @Override
  public void softmaxBackward(Tensor dP, Tensor p, Tensor dX) {
    Rows.softmaxBackward(dP, p, dX);
  }

  @Override
  public void attentionScoresBackward(
      Tensor dScores, Tensor q, Tensor k, AttentionSpec spec, Tensor dQ, Tensor dK) {
    Attention.scoresBackward(dScores, q, k, spec, dQ, dK);
  }

  @Override
  public void activate(Tensor x, Activation activation, Tensor out) {
    Rows.activate(x, activation, out);
  }

  @Override
  public void activateBackward(Tensor dOut, Tensor x, Activation activation, Tensor dX) {
    Rows.activateBackward(dOut, x, activation, dX);
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor out) {
    Rows.add(a, b, out);
  }

  @Override
  public void addScaled(Tensor a, double factor, Tensor b, Tensor out) {
    Rows.addScaled(a, factor, b, out);
  }

  @Override
  public double[] crossEntropy(Tensor logits, int[] labels) {
    return Reductions.crossEntropy(logits, labels);
  }

  @Override
  public void crossEntropyBackward(Tensor logits, int[] labels, double weight, Tensor dLogits) {
    Reductions.crossEntropyBackward(logits, labels, weight, dLogits);
  }

  @Override
  public double[] unembedCrossEntropy(Tensor x, Matrix w, Tensor bias, int[] labels) {
    return Reductions.unembedCrossEntropy(x, w, bias, labels);
  }

  @Override
  public double[] unembedLogSumExp(Tensor x, Matrix w, Tensor bias) {
    return Reductions.unembedLogSumExp(x, w, bias);
  }

  @Override
  public double[] unembedKl(Tensor base, Tensor perturbed, Matrix w, Tensor bias) {
    return Reductions.unembedKl(base, perturbed, w, bias);
  }

  @Override
  public double[] l2Distance(Tensor a, Tensor b) {
    return Reductions.l2Distance(a, b);
  }

  @Override
  public double sumOfSquares(Tensor x) {
    return Reductions.sumOfSquares(x);
  }

  @Override
  public TopK topK(Tensor x, int k) {
    return Reductions.topK(x, k);
  }

  @Override
  public void adamW(
      AdamStep step, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
    Rows.adamW(step, parameter, gradient, moment1, moment2);
  }

  @Override
  public void close() {
    // Nothing is held.
  }
}
