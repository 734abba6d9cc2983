package dev.resid.backend.cuda;

import dev.resid.backend.Precision;
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
import java.util.Optional;
import java.util.OptionalLong;

// One line a method: families of kernels check the operands (CopyKernels to VocabularyKernels), and
// where a call is several launches, the class of that name with Ops has them.
//
// B batch, T positions, S key positions, H heads, D d_head, R rows, C last axis, V vocabulary.

/**
 * The backend on an NVIDIA GPU. Matrix products by cuBLAS in float32 (or, when asked for, TF32);
 * sums over rows and over the vocabulary, layer norms, activation functions and AdamW in float64;
 * attention and sparse sums in chains of float32 multiply-adds. Two runs on the same GPU give the
 * same bits. That a row does not depend on its company holds for everything but products by cuBLAS,
 * which picks its kernels by shape.
 */
final class CudaBackend implements Backend {
  /** The name it is chosen by. */
  static final String NAME = "cuda";

  private final Device device;
  private final Blas blas;
  private final String description;
  private final String deviceName;
  private final Precision precision;
  private final Calls calls;
  private final CopyKernels copies;
  private final WeightKernels weights;
  private final RowKernels rows;
  private final ProductKernels products;
  private final AttentionKernels attention;
  private final ElementKernels elements;
  private final VocabularyKernels vocabulary;

  /**
   * Creates the backend.
   *
   * @param device closed with it
   * @param blas what multiplies, closed with it
   * @param precision in which it multiplies
   * @param description one line, the same for all GPUs of one kind
   * @param deviceName number and name of the GPU, and its driver
   */
  CudaBackend(
      Device device, Blas blas, Precision precision, String description, String deviceName) {
    this.device = device;
    this.blas = blas;
    this.precision = precision;
    this.description = description;
    this.deviceName = deviceName;
    calls = new Calls(device);
    ProductOps dense = new ProductOps(blas);
    copies = new CopyKernels(calls);
    weights = new WeightKernels(calls, device);
    rows = new RowKernels(calls);
    products = new ProductKernels(calls, dense, new SparseOps(dense));
    attention = new AttentionKernels(calls, new AttentionOps(device.sharedBytes));
    elements = new ElementKernels(calls);
    vocabulary = new VocabularyKernels(calls, new VocabularyOps(dense));
  }

  /** Returns the memory of the device. */
  DeviceMemory memory() {
    return device.memory;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public OptionalLong freeBytes() {
    return OptionalLong.of(device.freeBytes());
  }

  @Override
  public Optional<String> device() {
    return Optional.of(deviceName);
  }

  @Override
  public Optional<String> factorFormat() {
    return precision == Precision.TF32 ? Optional.of("tf32") : Optional.empty();
  }

  @Override
  public Tensor allocate(Shape shape) {
    return calls.get(
        call -> {
          DeviceStorage storage = DeviceStorage.lasting(device, shape.elements());
          call.clear(storage.address(), shape.elements());
          return Tensor.on(shape, storage);
        });
  }

  @Override
  public Scope scope() {
    return new DeviceScope(device);
  }

  @Override
  public void copy(Tensor from, Tensor to) {
    copies.copy(from, to);
  }

  @Override
  public void clear(Tensor target) {
    copies.clear(target);
  }

  @Override
  public void insert(Tensor part, Axis axis, int first, Tensor whole) {
    copies.insert(part, axis, first, whole);
  }

  @Override
  public void extract(Tensor whole, Axis axis, int first, Tensor part) {
    copies.extract(whole, axis, first, part);
  }

  @Override
  public Matrix pack(Tensor w) {
    return weights.pack(w);
  }

  @Override
  public Matrix packTransposed(Tensor w) {
    return weights.packTransposed(w);
  }

  @Override
  public void repack(Tensor w, Matrix target) {
    weights.repack(w, target);
  }

  @Override
  public void repackTransposed(Tensor w, Matrix target) {
    weights.repackTransposed(w, target);
  }

  @Override
  public void gatherRows(Tensor table, int[] ids, Tensor out) {
    weights.gatherRows(table, ids, out);
  }

  @Override
  public void gatherColumns(Matrix w, int[] ids, Tensor out) {
    weights.gatherColumns(w, ids, out);
  }

  @Override
  public void scatterAddRows(Tensor rows, int[] ids, Tensor table) {
    weights.scatterAddRows(rows, ids, table);
  }

  @Override
  public void layerNormScale(Tensor x, double epsilon, Tensor scale) {
    rows.layerNormScale(x, epsilon, scale);
  }

  @Override
  public void layerNormApply(Tensor x, Tensor scale, Tensor gamma, Tensor beta, Tensor out) {
    rows.layerNormApply(x, scale, gamma, beta, out);
  }

  @Override
  public void layerNormApplyBackwardInput(Tensor dOut, Tensor scale, Tensor gamma, Tensor dX) {
    rows.layerNormApplyBackwardInput(dOut, scale, gamma, dX);
  }

  @Override
  public void layerNormApplyBackwardScale(
      Tensor dOut, Tensor x, Tensor scale, Tensor gamma, Tensor dScale) {
    rows.layerNormApplyBackwardScale(dOut, x, scale, gamma, dScale);
  }

  @Override
  public void layerNormApplyBackwardParameters(
      Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta) {
    rows.layerNormApplyBackwardParameters(dOut, x, scale, dGamma, dBeta);
  }

  @Override
  public void layerNormScaleBackward(Tensor dScale, Tensor x, Tensor scale, Tensor dX) {
    rows.layerNormScaleBackward(dScale, x, scale, dX);
  }

  @Override
  public void linear(Tensor x, Matrix w, Tensor bias, Activation activation, Tensor out) {
    products.linear(x, w, bias, activation, out);
  }

  @Override
  public void linearBackwardInput(Tensor dOut, Matrix w, Tensor dX) {
    products.linearBackwardInput(dOut, w, dX);
  }

  @Override
  public void addOuterProducts(Tensor a, Tensor b, Tensor sum) {
    products.addOuterProducts(a, b, sum);
  }

  @Override
  public void addColumnSums(Tensor x, Tensor sum) {
    rows.addColumnSums(x, sum);
  }

  @Override
  public SparseRows linearAbove(Tensor x, Matrix w, Tensor bias, Tensor threshold) {
    return products.linearAbove(x, w, bias, threshold);
  }

  @Override
  public SparseRows linearTopK(Tensor x, Matrix w, Tensor bias, Tensor scale, int k) {
    return products.linearTopK(x, w, bias, scale, k);
  }

  @Override
  public void sparseLinear(SparseRows x, Tensor w, Tensor bias, Tensor out) {
    products.sparseLinear(x, w, bias, out);
  }

  @Override
  public void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
    attention.attention(q, k, v, spec, z);
  }

  @Override
  public void attentionScores(Tensor q, Tensor k, AttentionSpec spec, Tensor scores) {
    attention.attentionScores(q, k, spec, scores);
  }

  @Override
  public void softmax(Tensor x, Tensor out) {
    rows.softmax(x, out);
  }

  @Override
  public void attentionMix(Tensor pattern, Tensor v, Tensor z) {
    attention.attentionMix(pattern, v, z);
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
    attention.attentionBackward(dZ, q, k, v, spec, dQ, dK, dV);
  }

  @Override
  public void attentionMixBackward(
      Tensor dZ, Tensor pattern, Tensor v, Tensor dPattern, Tensor dV) {
    attention.attentionMixBackward(dZ, pattern, v, dPattern, dV);
  }

  @Override
  public void softmaxBackward(Tensor dP, Tensor p, Tensor dX) {
    rows.softmaxBackward(dP, p, dX);
  }

  @Override
  public void attentionScoresBackward(
      Tensor dScores, Tensor q, Tensor k, AttentionSpec spec, Tensor dQ, Tensor dK) {
    attention.attentionScoresBackward(dScores, q, k, spec, dQ, dK);
  }

  @Override
  public void activate(Tensor x, Activation activation, Tensor out) {
    elements.activate(x, activation, out);
  }

  @Override
  public void activateBackward(Tensor dOut, Tensor x, Activation activation, Tensor dX) {
    elements.activateBackward(dOut, x, activation, dX);
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor out) {
    elements.add(a, b, out);
  }

  @Override
  public void addScaled(Tensor a, double factor, Tensor b, Tensor out) {
    elements.addScaled(a, factor, b, out);
  }

  @Override
  public double[] crossEntropy(Tensor logits, int[] labels) {
    return vocabulary.crossEntropy(logits, labels);
  }

  @Override
  public void crossEntropyBackward(Tensor logits, int[] labels, double weight, Tensor dLogits) {
    vocabulary.crossEntropyBackward(logits, labels, weight, dLogits);
  }

  @Override
  public double[] unembedCrossEntropy(Tensor x, Matrix w, Tensor bias, int[] labels) {
    return vocabulary.unembedCrossEntropy(x, w, bias, labels);
  }

  @Override
  public double[] unembedLogSumExp(Tensor x, Matrix w, Tensor bias) {
    return vocabulary.unembedLogSumExp(x, w, bias);
  }

  @Override
  public double[] unembedKl(Tensor base, Tensor perturbed, Matrix w, Tensor bias) {
    return vocabulary.unembedKl(base, perturbed, w, bias);
  }

  @Override
  public double[] l2Distance(Tensor a, Tensor b) {
    return rows.l2Distance(a, b);
  }

  @Override
  public double sumOfSquares(Tensor x) {
    return rows.sumOfSquares(x);
  }

  @Override
  public TopK topK(Tensor x, int k) {
    return rows.topK(x, k);
  }

  @Override
  public void adamW(
      AdamStep step, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
    elements.adamW(step, parameter, gradient, moment1, moment2);
  }

  @Override
  public void close() {
    if (!device.isClosed()) {
      try {
        // cuBLAS works in the context of the thread that calls it.
        device.acquire();
        try {
          blas.close();
        } finally {
          device.release();
        }
      } catch (CudaFailureException e) {
        // On a GPU that was lost; the failure itself has been said.
        System.getLogger(CudaBackend.class.getName())
            .log(System.Logger.Level.DEBUG, "closing cuBLAS on a GPU that failed", e);
      } finally {
        device.close();
      }
    }
  }
}
