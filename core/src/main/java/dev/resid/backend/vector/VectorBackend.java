package dev.resid.backend.vector;

import static dev.resid.backend.vector.Operands.in;
import static dev.resid.backend.vector.Operands.out;
import static dev.resid.backend.vector.Operands.packed;
import static dev.resid.backend.vector.Operands.require;
import static dev.resid.backend.vector.Operands.requireCount;
import static dev.resid.backend.vector.Operands.requireElements;
import static dev.resid.backend.vector.Operands.requireIndices;
import static dev.resid.backend.vector.Operands.rows;

import dev.resid.backend.BackendOptions;
import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Dim;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

// Checks operands and hands their arrays to the kernels: MatrixProduct, AttentionKernels,
// AttentionGradients, RowKernels and ColumnKernels, Activations, Vocabulary, SparseProducts. Long
// because the
// interface is; every method is a few lines.
//
// B batch, T positions, S key positions, H heads, D d_head, R rows, C last axis, V vocabulary.

/**
 * The CPU backend on the Vector API. Float32 products are single chains of fused multiply-adds;
 * sums over rows and over the vocabulary, layer norms and AdamW are in float64. Several threads may
 * call one backend at the same time.
 */
public final class VectorBackend implements Backend {
  // Elements of one task of an element-wise kernel.
  private static final int CHUNK = 1 << 15;

  private final BackendOptions options;
  private final Workers workers;
  private final FloatPool pool = new FloatPool();
  private final MatrixProduct products;
  private final AttentionKernels attention;
  private final AttentionGradients attentionGradients;
  private final Vocabulary vocabulary;
  private final ColumnKernels columns;
  private final SparseProducts sparse;

  private VectorBackend(BackendOptions options) {
    this.options = options;
    workers = new Workers(options.threads());
    products = new MatrixProduct(workers, pool);
    attention = new AttentionKernels(workers);
    attentionGradients = new AttentionGradients(workers);
    vocabulary = new Vocabulary(workers, pool);
    columns = new ColumnKernels(workers);
    sparse = new SparseProducts(workers, pool);
  }

  /**
   * Returns a new backend of the given width and number of threads.
   *
   * @param options threads and vector width
   */
  public static Backend open(BackendOptions options) {
    return options.vectorBits() == 0 || options.vectorBits() == Lanes.BITS
        ? new VectorBackend(options)
        : WidthLoader.open(options);
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
    requireElements("the target of copy", to, Operands.elements(from));
    from.storage().read(0, out(to), 0, Operands.elements(from));
  }

  // ---- weights

  @Override
  public Matrix pack(Tensor w) {
    PackedMatrix.requireMatrix(w);
    PackedMatrix matrix = new PackedMatrix(w.shape());
    matrix.fill(w, workers);
    return matrix;
  }

  @Override
  public Matrix packTransposed(Tensor w) {
    PackedMatrix.requireMatrix(w);
    PackedMatrix matrix = new PackedMatrix(reversed(w.shape()));
    matrix.fillTransposed(w, workers);
    return matrix;
  }

  @Override
  public void repack(Tensor w, Matrix target) {
    PackedMatrix matrix = packed(target);
    requireSameSizes(w.shape(), matrix.shape());
    matrix.fill(w, workers);
  }

  @Override
  public void repackTransposed(Tensor w, Matrix target) {
    PackedMatrix matrix = packed(target);
    requireSameSizes(reversed(w.shape()), matrix.shape());
    matrix.fillTransposed(w, workers);
  }

  private static Shape reversed(Shape shape) {
    List<Dim> dims = new ArrayList<>(shape.dims());
    Collections.reverse(dims);
    return new Shape(dims);
  }

  private static void requireSameSizes(Shape found, Shape expected) {
    if (!Arrays.equals(found.sizes(), expected.sizes())) {
      throw new ShapeMismatchException(
          "the matrix to overwrite is " + expected + ", the new values are " + found);
    }
  }

  // ---- embedding

  @Override
  public void gatherRows(Tensor table, int[] ids, Tensor out) {
    int width = table.shape().last();
    require("out", out, ids.length, width);
    requireIndices("ids", ids, 0, rows(table));
    float[] to = out(out);
    for (int r = 0; r < ids.length; r++) {
      table.storage().read((long) ids[r] * width, to, r * width, width);
    }
  }

  @Override
  public void gatherColumns(Matrix w, int[] ids, Tensor out) {
    PackedMatrix matrix = packed(w);
    require("out", out, ids.length, matrix.in);
    requireIndices("ids", ids, 0, matrix.out);
    float[] to = out(out);
    workers.run(ids.length, (r, scratch) -> matrix.readColumn(ids[r], to, r * matrix.in));
  }

  @Override
  public void scatterAddRows(Tensor rows, int[] ids, Tensor table) {
    int width = table.shape().last();
    require("rows", rows, ids.length, width);
    requireIndices("ids", ids, 0, rows(table));
    columns.scatterAddRows(in(rows), ids, width, out(table));
  }

  // ---- layer norm

  @Override
  public void layerNormScale(Tensor x, double epsilon, Tensor scale) {
    int width = x.shape().last();
    requireElements("scale", scale, rows(x));
    float[] from = in(x);
    float[] to = out(scale);
    perRow(
        rows(x),
        width,
        r -> to[r] = (float) RowKernels.layerNormScale(from, r * width, width, epsilon));
  }

  @Override
  public void layerNormApply(Tensor x, Tensor scale, Tensor gamma, Tensor beta, Tensor out) {
    int width = x.shape().last();
    requireElements("scale", scale, rows(x));
    requireElements("gamma", gamma, width);
    requireElements("beta", beta, width);
    require("out", out, rows(x), width);
    float[] from = in(x);
    float[] scales = in(scale);
    float[] gammas = in(gamma);
    float[] betas = in(beta);
    float[] to = out(out);
    perRow(
        rows(x),
        width,
        r -> RowKernels.layerNormApply(from, r * width, scales[r], gammas, betas, to, width));
  }

  @Override
  public void layerNormApplyBackwardInput(Tensor dOut, Tensor scale, Tensor gamma, Tensor dX) {
    int width = dOut.shape().last();
    requireElements("scale", scale, rows(dOut));
    requireElements("gamma", gamma, width);
    require("dX", dX, rows(dOut), width);
    float[] from = in(dOut);
    float[] scales = in(scale);
    float[] gammas = in(gamma);
    float[] to = out(dX);
    perRow(
        rows(dOut),
        width,
        r -> RowKernels.layerNormApplyBackwardInput(from, r * width, scales[r], gammas, to, width));
  }

  @Override
  public void layerNormApplyBackwardScale(
      Tensor dOut, Tensor x, Tensor scale, Tensor gamma, Tensor dScale) {
    int width = x.shape().last();
    require("dOut", dOut, rows(x), width);
    requireElements("scale", scale, rows(x));
    requireElements("gamma", gamma, width);
    requireElements("dScale", dScale, rows(x));
    float[] gradient = in(dOut);
    float[] from = in(x);
    float[] scales = in(scale);
    float[] gammas = in(gamma);
    float[] to = out(dScale);
    perRow(
        rows(x),
        width,
        r ->
            to[r] =
                (float)
                    RowKernels.layerNormApplyBackwardScale(
                        gradient, from, r * width, scales[r], gammas, width));
  }

  @Override
  public void layerNormApplyBackwardParameters(
      Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta) {
    int width = x.shape().last();
    require("dOut", dOut, rows(x), width);
    requireElements("scale", scale, rows(x));
    requireElements("dGamma", dGamma, width);
    requireElements("dBeta", dBeta, width);
    columns.layerNormParameters(
        in(dOut), in(x), in(scale), rows(x), width, out(dGamma), out(dBeta));
  }

  @Override
  public void layerNormScaleBackward(Tensor dScale, Tensor x, Tensor scale, Tensor dX) {
    int width = x.shape().last();
    requireElements("dScale", dScale, rows(x));
    requireElements("scale", scale, rows(x));
    require("dX", dX, rows(x), width);
    float[] gradient = in(dScale);
    float[] from = in(x);
    float[] scales = in(scale);
    float[] to = out(dX);
    perRow(
        rows(x),
        width,
        r -> RowKernels.layerNormScaleBackward(gradient[r], from, r * width, scales[r], to, width));
  }

  // ---- products

  @Override
  public void linear(Tensor x, Matrix w, Tensor bias, Activation activation, Tensor out) {
    PackedMatrix matrix = packed(w);
    require("x", x, rows(x), matrix.in);
    requireElements("bias", bias, matrix.out);
    require("out", out, rows(x), matrix.out);
    products.linear(in(x), rows(x), matrix, in(bias), activation, out(out));
  }

  @Override
  public void linearBackwardInput(Tensor dOut, Matrix w, Tensor dX) {
    PackedMatrix matrix = packed(w);
    require("dOut", dOut, rows(dOut), matrix.out);
    require("dX", dX, rows(dOut), matrix.in);
    products.linearBackwardInput(in(dOut), rows(dOut), matrix, out(dX));
  }

  @Override
  public void addOuterProducts(Tensor a, Tensor b, Tensor sum) {
    int m = a.shape().last();
    int n = b.shape().last();
    require("b", b, rows(a), n);
    require("sum", sum, m, n);
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
    PackedMatrix matrix = unembedding(x, w, bias);
    requireElements("threshold", threshold, matrix.out);
    return sparse.linearAbove(in(x), rows(x), matrix, in(bias), in(threshold));
  }

  @Override
  public SparseRows linearTopK(Tensor x, Matrix w, Tensor bias, Tensor scale, int k) {
    PackedMatrix matrix = unembedding(x, w, bias);
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
    require("w", w, x.columns(), width);
    requireElements("bias", bias, width);
    require("out", out, x.rows(), width);
    Operands.requireColumns(x);
    sparse.sparseLinear(x, in(w), width, in(bias), out(out));
  }

  // ---- attention

  @Override
  public void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
    var sizes = AttentionOperands.of(q, k).keys("v", v).queries("z", z).sizes();
    attention.attention(in(q), in(k), in(v), sizes, spec, out(z));
  }

  @Override
  public void attentionScores(Tensor q, Tensor k, AttentionSpec spec, Tensor scores) {
    var sizes = AttentionOperands.of(q, k).pattern("scores", scores).sizes();
    attention.attentionScores(in(q), in(k), sizes, spec, out(scores));
  }

  @Override
  public void softmax(Tensor x, Tensor out) {
    int width = x.shape().last();
    require("out", out, rows(x), width);
    float[] from = in(x);
    float[] to = out(out);
    perRow(rows(x), width, r -> RowKernels.softmax(from, r * width, to, r * width, width));
  }

  @Override
  public void attentionMix(Tensor pattern, Tensor v, Tensor z) {
    var sizes = AttentionOperands.of(z, v).pattern("pattern", pattern).sizes();
    attention.attentionMix(in(pattern), in(v), sizes, out(z));
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
    var sizes =
        AttentionOperands.of(q, k)
            .keys("v", v)
            .queries("dZ", dZ)
            .queries("dQ", dQ)
            .keys("dK", dK)
            .keys("dV", dV)
            .sizes();
    attentionGradients.attentionBackward(
        in(dZ), in(q), in(k), in(v), sizes, spec, out(dQ), out(dK), out(dV));
  }

  @Override
  public void attentionMixBackward(
      Tensor dZ, Tensor pattern, Tensor v, Tensor dPattern, Tensor dV) {
    var sizes =
        AttentionOperands.of(dZ, v)
            .pattern("pattern", pattern)
            .pattern("dPattern", dPattern)
            .keys("dV", dV)
            .sizes();
    attentionGradients.attentionMixBackward(
        in(dZ), in(pattern), in(v), sizes, out(dPattern), out(dV));
  }

  @Override
  public void softmaxBackward(Tensor dP, Tensor p, Tensor dX) {
    int width = p.shape().last();
    require("dP", dP, rows(p), width);
    require("dX", dX, rows(p), width);
    float[] gradient = in(dP);
    float[] from = in(p);
    float[] to = out(dX);
    perRow(
        rows(p),
        width,
        r ->
            RowKernels.softmaxBackward(gradient, r * width, from, r * width, to, r * width, width));
  }

  @Override
  public void attentionScoresBackward(
      Tensor dScores, Tensor q, Tensor k, AttentionSpec spec, Tensor dQ, Tensor dK) {
    var sizes =
        AttentionOperands.of(q, k)
            .pattern("dScores", dScores)
            .queries("dQ", dQ)
            .keys("dK", dK)
            .sizes();
    attentionGradients.attentionScoresBackward(
        in(dScores), in(q), in(k), sizes, spec, out(dQ), out(dK));
  }

  // ---- element-wise

  @Override
  public void activate(Tensor x, Activation activation, Tensor out) {
    requireElements("out", out, Operands.elements(x));
    float[] from = in(x);
    float[] to = out(out);
    perChunk(
        Operands.elements(x),
        (i, n, scratch) -> Activations.apply(activation, from, i, to, i, n, scratch));
  }

  @Override
  public void activateBackward(Tensor dOut, Tensor x, Activation activation, Tensor dX) {
    requireElements("dOut", dOut, Operands.elements(x));
    requireElements("dX", dX, Operands.elements(x));
    float[] gradient = in(dOut);
    float[] from = in(x);
    float[] to = out(dX);
    perChunk(
        Operands.elements(x),
        (i, n, scratch) -> Activations.backward(activation, gradient, from, to, i, n, scratch));
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor out) {
    requireElements("b", b, Operands.elements(a));
    requireElements("out", out, Operands.elements(a));
    float[] left = in(a);
    float[] right = in(b);
    float[] to = out(out);
    perChunk(Operands.elements(a), (i, n, scratch) -> Elementwise.add(left, right, to, i, i + n));
  }

  @Override
  public void addScaled(Tensor a, double factor, Tensor b, Tensor out) {
    requireElements("b", b, Operands.elements(a));
    requireElements("out", out, Operands.elements(a));
    float[] left = in(a);
    float[] right = in(b);
    float[] to = out(out);
    perChunk(
        Operands.elements(a),
        (i, n, scratch) -> Elementwise.addScaled(left, (float) factor, right, to, i, i + n));
  }

  // ---- reductions

  @Override
  public double[] crossEntropy(Tensor logits, int[] labels) {
    int width = logits.shape().last();
    requireCount("labels", labels, rows(logits));
    requireIndices("labels", labels, -1, width);
    float[] from = in(logits);
    double[] nats = vocabulary.logSumExp(from, rows(logits), width);
    for (int r = 0; r < nats.length; r++) {
      nats[r] = labels[r] < 0 ? 0 : nats[r] - from[r * width + labels[r]];
    }
    return nats;
  }

  @Override
  public void crossEntropyBackward(Tensor logits, int[] labels, double weight, Tensor dLogits) {
    int width = logits.shape().last();
    requireCount("labels", labels, rows(logits));
    requireIndices("labels", labels, -1, width);
    require("dLogits", dLogits, rows(logits), width);
    float[] from = in(logits);
    float[] to = out(dLogits);
    perRow(
        rows(logits),
        width,
        r -> RowKernels.crossEntropyBackward(from, to, r * width, width, labels[r], weight));
  }

  @Override
  public double[] unembedCrossEntropy(Tensor x, Matrix w, Tensor bias, int[] labels) {
    PackedMatrix matrix = unembedding(x, w, bias);
    requireCount("labels", labels, rows(x));
    requireIndices("labels", labels, -1, matrix.out);
    double[] picked = new double[labels.length];
    double[] nats = vocabulary.unembedLogSumExp(in(x), rows(x), matrix, in(bias), labels, picked);
    for (int r = 0; r < nats.length; r++) {
      nats[r] = labels[r] < 0 ? 0 : nats[r] - picked[r];
    }
    return nats;
  }

  @Override
  public double[] unembedLogSumExp(Tensor x, Matrix w, Tensor bias) {
    PackedMatrix matrix = unembedding(x, w, bias);
    int[] none = new int[rows(x)];
    Arrays.fill(none, -1);
    return vocabulary.unembedLogSumExp(
        in(x), rows(x), matrix, in(bias), none, new double[none.length]);
  }

  @Override
  public double[] unembedKl(Tensor base, Tensor perturbed, Matrix w, Tensor bias) {
    int[] none = new int[rows(perturbed)];
    Arrays.fill(none, -1);
    return unembedKlAndCrossEntropy(base, perturbed, w, bias, none, new double[none.length]);
  }

  @Override
  public double[] unembedKlAndCrossEntropy(
      Tensor base,
      Tensor perturbed,
      Matrix w,
      Tensor bias,
      int[] labels,
      double[] crossEntropyNats) {
    PackedMatrix matrix = unembedding(base, w, bias);
    int baseRows = rows(base);
    require("perturbed", perturbed, rows(perturbed), matrix.in);
    if (baseRows == 0 ? rows(perturbed) != 0 : rows(perturbed) % baseRows != 0) {
      throw new ShapeMismatchException(
          "perturbed is "
              + perturbed.shape()
              + ", expected a multiple of the rows of base, "
              + base.shape());
    }
    requireCount("labels", labels, rows(perturbed));
    requireIndices("labels", labels, -1, matrix.out);
    return vocabulary.unembedKl(
        in(base), baseRows, in(perturbed), matrix, in(bias), labels, crossEntropyNats);
  }

  private static PackedMatrix unembedding(Tensor x, Matrix w, Tensor bias) {
    PackedMatrix matrix = packed(w);
    require("x", x, rows(x), matrix.in);
    requireElements("bias", bias, matrix.out);
    return matrix;
  }

  @Override
  public double[] l2Distance(Tensor a, Tensor b) {
    int width = a.shape().last();
    require("b", b, rows(a), width);
    float[] left = in(a);
    float[] right = in(b);
    double[] result = new double[rows(a)];
    perRow(
        rows(a),
        width,
        r ->
            result[r] =
                Math.sqrt(RowKernels.squaredDistance(left, r * width, right, r * width, width)));
    return result;
  }

  @Override
  public double sumOfSquares(Tensor x) {
    int elements = Operands.elements(x);
    float[] from = in(x);
    double[] parts = new double[(elements + CHUNK - 1) / CHUNK];
    perChunk(elements, (i, n, scratch) -> parts[i / CHUNK] = RowKernels.dot(from, i, from, i, n));
    double sum = 0;
    for (double part : parts) {
      sum += part;
    }
    return sum;
  }

  @Override
  public TopK topK(Tensor x, int k) {
    int width = x.shape().last();
    if (k < 0 || k > width) {
      throw new IllegalArgumentException(
          "k is " + k + ", expected 0 to the last axis of " + x.shape());
    }
    float[] from = in(x);
    int[] indices = new int[Math.multiplyExact(rows(x), k)];
    float[] values = new float[indices.length];
    perRow(
        rows(x), width, r -> LargestEntries.of(from, r * width, width, k, indices, values, r * k));
    return new TopK(k, indices, values);
  }

  // ---- optimiser

  @Override
  public void adamW(
      AdamStep step, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
    int elements = Operands.elements(parameter);
    requireElements("gradient", gradient, elements);
    requireElements("moment1", moment1, elements);
    requireElements("moment2", moment2, elements);
    float[] p = out(parameter);
    float[] g = in(gradient);
    float[] first = out(moment1);
    float[] second = out(moment2);
    perChunk(elements, (i, n, scratch) -> Elementwise.adamW(step, p, g, first, second, i, i + n));
  }

  @Override
  public void close() {
    workers.close();
    pool.clear();
  }

  @FunctionalInterface
  private interface Row {
    void run(int row);
  }

  @FunctionalInterface
  private interface Chunk {
    void run(int from, int count, Scratch scratch);
  }

  // Rows are grouped so that a task has about CHUNK elements.
  private void perRow(int rows, int width, Row kernel) {
    int group = Math.max(1, CHUNK / Math.max(1, width));
    workers.run(
        (rows + group - 1) / group,
        (task, scratch) -> {
          int last = Math.min(rows, (task + 1) * group);
          for (int r = task * group; r < last; r++) {
            kernel.run(r);
          }
        });
  }

  private void perChunk(int elements, Chunk kernel) {
    workers.run(
        (elements + CHUNK - 1) / CHUNK,
        (task, scratch) ->
            kernel.run(task * CHUNK, Math.min(CHUNK, elements - task * CHUNK), scratch));
  }
}
