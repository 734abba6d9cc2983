package dev.resid.backend.vector;

import static dev.resid.backend.vector.Operands.in;
import static dev.resid.backend.vector.Operands.out;
import static dev.resid.backend.vector.Operands.packed;
import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireRows;
import static dev.resid.tensor.OperandChecks.rows;

import dev.resid.backend.BackendOptions;
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

// Checks operands of products and hands their arrays to the kernels; WeightOps, LayerNormOps,
// AttentionOps, RowOps, ElementOps and VocabularyOps do so for the other operations.

/**
 * The CPU backend on the Vector API. Float32 products are single chains of fused multiply-adds;
 * sums over rows and over the vocabulary, layer norms and AdamW are in float64. Several threads may
 * call one backend at the same time.
 */
public final class VectorBackend implements Backend {
  private final BackendOptions options;
  private final Workers workers;
  private final FloatPool pool = new FloatPool();
  private final MatrixProduct products;
  private final AttentionOps attention;
  private final ColumnKernels columns;
  private final SparseProducts sparse;
  private final WeightOps weights;
  private final LayerNormOps norms;
  private final RowOps rows;
  private final ElementOps elements;
  private final VocabularyOps vocabulary;

  private VectorBackend(BackendOptions options, FirstPasses first) {
    this.options = options;
    workers = new Workers(options.threads());
    products = new MatrixProduct(workers, pool, first);
    attention = new AttentionOps(workers, first);
    columns = new ColumnKernels(workers);
    sparse = new SparseProducts(workers, pool);
    Tasks tasks = new Tasks(workers);
    weights = new WeightOps(workers, columns);
    norms = new LayerNormOps(tasks, columns, first);
    rows = new RowOps(tasks);
    elements = new ElementOps(tasks, first);
    vocabulary = new VocabularyOps(tasks, new Vocabulary(workers, pool));
  }

  /**
   * Returns a new backend of the given width and number of threads.
   *
   * @param options threads and vector width
   */
  public static Backend open(BackendOptions options) {
    return options.vectorBits() == 0 || options.vectorBits() == Lanes.BITS
        ? new VectorBackend(options, FirstPasses.OF_THE_PROGRAM)
        : WidthLoader.open(options);
  }

  /**
   * Returns a new backend, as {@link #open(BackendOptions)} does, that begins without vectors for
   * as long as it is told, not the program.
   *
   * @param plainNanos the processor time of that; 0 for vectors from the beginning
   */
  static Backend open(BackendOptions options, long plainNanos) {
    return options.vectorBits() == 0 || options.vectorBits() == Lanes.BITS
        ? new VectorBackend(options, new FirstPasses(plainNanos))
        : WidthLoader.open(options, plainNanos);
  }

  static String describe(BackendOptions options) {
    int bits = options.vectorBits() == 0 ? Lanes.BITS : options.vectorBits();
    return bits + "-bit vectors, threads: " + options.threads();
  }

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public String description() {
    return "vector (" + describe(options) + ")";
  }

  @Override
  public Tensor allocate(Shape shape) {
    return Tensor.zeros(shape);
  }

  @Override
  public Scope scope() {
    return pool.scope();
  }

  @Override
  public void copy(Tensor from, Tensor to) {
    requireElements("the target of copy", to, OperandChecks.elements(from));
    from.storage().read(0, out(to), 0, OperandChecks.elements(from));
  }

  // ---- weights

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

  // ---- embedding

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

  // ---- layer norm

  @Override
  public void layerNormScale(Tensor x, double epsilon, Tensor scale) {
    norms.layerNormScale(x, epsilon, scale);
  }

  @Override
  public void layerNormApply(Tensor x, Tensor scale, Tensor gamma, Tensor beta, Tensor out) {
    norms.layerNormApply(x, scale, gamma, beta, out);
  }

  @Override
  public void layerNormApplyBackwardInput(Tensor dOut, Tensor scale, Tensor gamma, Tensor dX) {
    norms.layerNormApplyBackwardInput(dOut, scale, gamma, dX);
  }

  @Override
  public void layerNormApplyBackwardScale(
      Tensor dOut, Tensor x, Tensor scale, Tensor gamma, Tensor dScale) {
    norms.layerNormApplyBackwardScale(dOut, x, scale, gamma, dScale);
  }

  @Override
  public void layerNormApplyBackwardParameters(
      Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta) {
    norms.layerNormApplyBackwardParameters(dOut, x, scale, dGamma, dBeta);
  }

  @Override
  public void layerNormScaleBackward(Tensor dScale, Tensor x, Tensor scale, Tensor dX) {
    norms.layerNormScaleBackward(dScale, x, scale, dX);
  }

  // ---- products

  @Override
  public void linear(Tensor x, Matrix w, Tensor bias, Activation activation, Tensor out) {
    PackedMatrix matrix = packed(w);
    requireRows("x", x, rows(x), matrix.in);
    requireElements("bias", bias, matrix.out);
    requireRows("out", out, rows(x), matrix.out);
    products.linear(in(x), rows(x), matrix, in(bias), activation, out(out));
  }

  @Override
  public void linearBackwardInput(Tensor dOut, Matrix w, Tensor dX) {
    PackedMatrix matrix = packed(w);
    requireRows("dOut", dOut, rows(dOut), matrix.out);
    requireRows("dX", dX, rows(dOut), matrix.in);
    products.linearBackwardInput(in(dOut), rows(dOut), matrix, out(dX));
  }

  @Override
  public void addOuterProducts(Tensor a, Tensor b, Tensor sum) {
    int m = a.shape().last();
    int n = b.shape().last();
    requireRows("b", b, rows(a), n);
    requireRows("sum", sum, m, n);
    products.addOuterProducts(in(a), in(b), rows(a), m, n, out(sum));
  }

  @Override
  public void addColumnSums(Tensor x, Tensor sum) {
    int width = x.shape().last();
    requireElements("sum", sum, width);
    columns.addColumnSums(in(x), rows(x), width, out(sum));
  }

  // ---- sparse products

  @Override
  public SparseRows linearAbove(Tensor x, Matrix w, Tensor bias, Tensor threshold) {
    PackedMatrix matrix = VocabularyOps.unembedding(x, w, bias);
    requireElements("threshold", threshold, matrix.out);
    return sparse.linearAbove(in(x), rows(x), matrix, in(bias), in(threshold));
  }

  @Override
  public SparseRows linearTopK(Tensor x, Matrix w, Tensor bias, Tensor scale, int k) {
    PackedMatrix matrix = VocabularyOps.unembedding(x, w, bias);
    requireElements("scale", scale, matrix.out);
    if (k < 0 || k > matrix.out) {
      throw new IllegalArgumentException(
          "k is " + k + ", expected 0 to the columns of " + matrix.shape());
    }
    return sparse.linearTopK(in(x), rows(x), matrix, in(bias), in(scale), k);
  }

  @Override
  public void sparseLinear(SparseRows x, Tensor w, Tensor bias, Tensor out) {
    int width = w.shape().last();
    requireRows("w", w, x.columns(), width);
    requireElements("bias", bias, width);
    requireRows("out", out, x.rows(), width);
    OperandChecks.requireColumns(x);
    sparse.sparseLinear(x, in(w), width, in(bias), out(out));
  }

  // ---- attention

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

  // ---- element-wise

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

  // ---- reductions

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
  public double[] unembedKlAndCrossEntropy(
      Tensor base,
      Tensor perturbed,
      Matrix w,
      Tensor bias,
      int[] labels,
      double[] crossEntropyNats) {
    return vocabulary.unembedKlAndCrossEntropy(base, perturbed, w, bias, labels, crossEntropyNats);
  }

  @Override
  public double[] l2Distance(Tensor a, Tensor b) {
    return rows.l2Distance(a, b);
  }

  @Override
  public double sumOfSquares(Tensor x) {
    return elements.sumOfSquares(x);
  }

  @Override
  public TopK topK(Tensor x, int k) {
    return rows.topK(x, k);
  }

  // ---- optimiser

  @Override
  public void adamW(
      AdamStep step, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
    elements.adamW(step, parameter, gradient, moment1, moment2);
  }

  @Override
  public void close() {
    workers.close();
    pool.clear();
  }
}
