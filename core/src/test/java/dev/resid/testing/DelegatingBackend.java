package dev.resid.testing;

import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;

/** Hands every call to another backend; a test overrides what it wants to change or to watch. */
public class DelegatingBackend implements Backend {
  /** The backend that does the work. */
  protected final Backend inner;

  /**
   * Creates a backend around another.
   *
   * @param inner the backend that does the work
   */
  public DelegatingBackend(Backend inner) {
    this.inner = inner;
  }

  @Override
  public String name() {
    return inner.name();
  }

  @Override
  public String description() {
    return inner.description();
  }

  @Override
  public java.util.OptionalLong freeBytes() {
    return inner.freeBytes();
  }

  @Override
  public java.util.Optional<String> device() {
    return inner.device();
  }

  @Override
  public java.util.Optional<String> factorFormat() {
    return inner.factorFormat();
  }

  @Override
  public Tensor allocate(Shape shape) {
    return inner.allocate(shape);
  }

  @Override
  public Scope scope() {
    return inner.scope();
  }

  @Override
  public void copy(Tensor from, Tensor to) {
    inner.copy(from, to);
  }

  @Override
  public void insert(Tensor part, Axis axis, int first, Tensor whole) {
    inner.insert(part, axis, first, whole);
  }

  @Override
  public void extract(Tensor whole, Axis axis, int first, Tensor part) {
    inner.extract(whole, axis, first, part);
  }

  @Override
  public Matrix pack(Tensor w) {
    return inner.pack(w);
  }

  @Override
  public Matrix packTransposed(Tensor w) {
    return inner.packTransposed(w);
  }

  @Override
  public void repack(Tensor w, Matrix target) {
    inner.repack(w, target);
  }

  @Override
  public void repackTransposed(Tensor w, Matrix target) {
    inner.repackTransposed(w, target);
  }

  @Override
  public void gatherRows(Tensor table, int[] ids, Tensor out) {
    inner.gatherRows(table, ids, out);
  }

  @Override
  public void gatherColumns(Matrix w, int[] ids, Tensor out) {
    inner.gatherColumns(w, ids, out);
  }

  @Override
  public void scatterAddRows(Tensor rows, int[] ids, Tensor table) {
    inner.scatterAddRows(rows, ids, table);
  }

  @Override
  public void layerNormScale(Tensor x, double epsilon, Tensor scale) {
    inner.layerNormScale(x, epsilon, scale);
  }

  @Override
  public void layerNormApply(Tensor x, Tensor scale, Tensor gamma, Tensor beta, Tensor out) {
    inner.layerNormApply(x, scale, gamma, beta, out);
  }

  @Override
  public void layerNormApplyBackwardInput(Tensor dOut, Tensor scale, Tensor gamma, Tensor dX) {
    inner.layerNormApplyBackwardInput(dOut, scale, gamma, dX);
  }

  @Override
  public void layerNormApplyBackwardScale(
      Tensor dOut, Tensor x, Tensor scale, Tensor gamma, Tensor dScale) {
    inner.layerNormApplyBackwardScale(dOut, x, scale, gamma, dScale);
  }

  @Override
  public void layerNormApplyBackwardParameters(
      Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta) {
    inner.layerNormApplyBackwardParameters(dOut, x, scale, dGamma, dBeta);
  }

  @Override
  public void layerNormScaleBackward(Tensor dScale, Tensor x, Tensor scale, Tensor dX) {
    inner.layerNormScaleBackward(dScale, x, scale, dX);
  }

  @Override
  public void linear(Tensor x, Matrix w, Tensor bias, Activation activation, Tensor out) {
    inner.linear(x, w, bias, activation, out);
  }

  @Override
  public void linearBackwardInput(Tensor dOut, Matrix w, Tensor dX) {
    inner.linearBackwardInput(dOut, w, dX);
  }

  @Override
  public void addOuterProducts(Tensor a, Tensor b, Tensor sum) {
    inner.addOuterProducts(a, b, sum);
  }

  @Override
  public void addColumnSums(Tensor x, Tensor sum) {
    inner.addColumnSums(x, sum);
  }

  @Override
  public SparseRows linearAbove(Tensor x, Matrix w, Tensor bias, Tensor threshold) {
    return inner.linearAbove(x, w, bias, threshold);
  }

  @Override
  public SparseRows linearTopK(Tensor x, Matrix w, Tensor bias, Tensor scale, int k) {
    return inner.linearTopK(x, w, bias, scale, k);
  }

  @Override
  public void sparseLinear(SparseRows x, Tensor w, Tensor bias, Tensor out) {
    inner.sparseLinear(x, w, bias, out);
  }

  @Override
  public void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
    inner.attention(q, k, v, spec, z);
  }

  @Override
  public void attentionScores(Tensor q, Tensor k, AttentionSpec spec, Tensor scores) {
    inner.attentionScores(q, k, spec, scores);
  }

  @Override
  public void softmax(Tensor x, Tensor out) {
    inner.softmax(x, out);
  }

  @Override
  public void attentionMix(Tensor pattern, Tensor v, Tensor z) {
    inner.attentionMix(pattern, v, z);
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
    inner.attentionBackward(dZ, q, k, v, spec, dQ, dK, dV);
  }

  @Override
  public void attentionMixBackward(
      Tensor dZ, Tensor pattern, Tensor v, Tensor dPattern, Tensor dV) {
    inner.attentionMixBackward(dZ, pattern, v, dPattern, dV);
  }

  @Override
  public void softmaxBackward(Tensor dP, Tensor p, Tensor dX) {
    inner.softmaxBackward(dP, p, dX);
  }

  @Override
  public void attentionScoresBackward(
      Tensor dScores, Tensor q, Tensor k, AttentionSpec spec, Tensor dQ, Tensor dK) {
    inner.attentionScoresBackward(dScores, q, k, spec, dQ, dK);
  }

  @Override
  public void activate(Tensor x, Activation activation, Tensor out) {
    inner.activate(x, activation, out);
  }

  @Override
  public void activateBackward(Tensor dOut, Tensor x, Activation activation, Tensor dX) {
    inner.activateBackward(dOut, x, activation, dX);
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor out) {
    inner.add(a, b, out);
  }

  @Override
  public void addScaled(Tensor a, double factor, Tensor b, Tensor out) {
    inner.addScaled(a, factor, b, out);
  }

  @Override
  public double[] crossEntropy(Tensor logits, int[] labels) {
    return inner.crossEntropy(logits, labels);
  }

  @Override
  public void crossEntropyBackward(Tensor logits, int[] labels, double weight, Tensor dLogits) {
    inner.crossEntropyBackward(logits, labels, weight, dLogits);
  }

  @Override
  public double[] unembedCrossEntropy(Tensor x, Matrix w, Tensor bias, int[] labels) {
    return inner.unembedCrossEntropy(x, w, bias, labels);
  }

  @Override
  public double[] unembedLogSumExp(Tensor x, Matrix w, Tensor bias) {
    return inner.unembedLogSumExp(x, w, bias);
  }

  @Override
  public double[] unembedKl(Tensor base, Tensor perturbed, Matrix w, Tensor bias) {
    return inner.unembedKl(base, perturbed, w, bias);
  }

  @Override
  public double[] unembedKlAndCrossEntropy(
      Tensor base,
      Tensor perturbed,
      Matrix w,
      Tensor bias,
      int[] labels,
      double[] crossEntropyNats) {
    return inner.unembedKlAndCrossEntropy(base, perturbed, w, bias, labels, crossEntropyNats);
  }

  @Override
  public double[] l2Distance(Tensor a, Tensor b) {
    return inner.l2Distance(a, b);
  }

  @Override
  public double sumOfSquares(Tensor x) {
    return inner.sumOfSquares(x);
  }

  @Override
  public TopK topK(Tensor x, int k) {
    return inner.topK(x, k);
  }

  @Override
  public void adamW(
      AdamStep step, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
    inner.adamW(step, parameter, gradient, moment1, moment2);
  }

  @Override
  public void close() {
    inner.close();
  }
}
