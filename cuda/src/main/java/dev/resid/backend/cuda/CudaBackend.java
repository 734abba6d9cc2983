package dev.resid.backend.cuda;

import static dev.resid.backend.cuda.Operands.columns;
import static dev.resid.backend.cuda.Operands.require;
import static dev.resid.backend.cuda.Operands.requireElements;
import static dev.resid.backend.cuda.Operands.requireIndices;
import static dev.resid.backend.cuda.Operands.requireLike;
import static dev.resid.backend.cuda.Operands.rows;

import dev.resid.backend.cuda.ProductOps.Rows;
import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Storage;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

// Checks operands and hands their addresses to the kernels. Long because the interface is; every
// method is a few lines.
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

  private static final int TRANSPOSED_FLOATS = 1 << 22;

  private final Device device;
  private final Blas blas;
  private final String description;
  private final ProductOps products;
  private final AttentionOps attention;
  private final VocabularyOps vocabulary;
  private final SparseOps sparse;

  /**
   * Creates the backend.
   *
   * @param device closed with it
   * @param blas what multiplies, closed with it
   * @param description one line
   */
  CudaBackend(Device device, Blas blas, String description) {
    this.device = device;
    this.blas = blas;
    this.description = description;
    products = new ProductOps(blas);
    attention = new AttentionOps(device.sharedBytes);
    vocabulary = new VocabularyOps(products);
    sparse = new SparseOps(products);
  }

  private void run(Consumer<Call> work) {
    try (Call call = new Call(device)) {
      work.accept(call);
      call.finish();
    }
  }

  private <T> T get(Function<Call, T> work) {
    try (Call call = new Call(device)) {
      return work.apply(call);
    }
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
  public Tensor allocate(Shape shape) {
    return get(
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
    requireElements("the target of copy", to, from.elements());
    if (to.storage() instanceof HostStorage host) {
      from.storage().read(0, host.array(), 0, Math.toIntExact(from.elements()));
    } else {
      run(call -> call.copy(from, call.out("the target of copy", to)));
    }
  }

  @Override
  public void clear(Tensor target) {
    run(call -> call.clear(call.out("target", target), target.elements()));
  }

  @Override
  public void insert(Tensor part, Axis axis, int first, Tensor whole) {
    Runs runs = Runs.of(part, axis, first, whole);
    run(
        call ->
            call.launch("resid_copy_runs")
                .pointer(call.in(part))
                .number(runs.partRun)
                .pointer(call.inOut("whole", whole) + runs.offset * Float.BYTES)
                .number(runs.wholeRun)
                .number(runs.partRun)
                .elements(part.elements()));
  }

  @Override
  public void extract(Tensor whole, Axis axis, int first, Tensor part) {
    Runs runs = Runs.of(part, axis, first, whole);
    run(
        call ->
            call.launch("resid_copy_runs")
                .pointer(call.in(whole) + runs.offset * Float.BYTES)
                .number(runs.wholeRun)
                .pointer(call.out("part", part))
                .number(runs.partRun)
                .number(runs.partRun)
                .elements(part.elements()));
  }

  /** Runs of both tensors along an axis, in elements. */
  private record Runs(long partRun, long wholeRun, long offset) {
    static Runs of(Tensor part, Axis axis, int first, Tensor whole) {
      int count = part.shape().size(axis);
      int size = whole.shape().size(axis);
      if (!part.shape().with(axis, size).equals(whole.shape())
          || first < 0
          || first + count > size) {
        throw new ShapeMismatchException(
            part.shape() + " does not fit into " + whole.shape() + " at " + axis + " " + first);
      }
      long inner = 1;
      for (int i = whole.shape().indexOf(axis) + 1; i < whole.shape().rank(); i++) {
        inner *= whole.shape().dims().get(i).size();
      }
      return new Runs(count * inner, size * inner, first * inner);
    }
  }

  // ---- weights

  @Override
  public Matrix pack(Tensor w) {
    DeviceMatrix.requireMatrix(w);
    return get(
        call -> {
          DeviceMatrix matrix = new DeviceMatrix(device, w.shape());
          call.copy(w, matrix.values.address());
          return matrix;
        });
  }

  @Override
  public Matrix packTransposed(Tensor w) {
    DeviceMatrix.requireMatrix(w);
    return get(
        call -> {
          DeviceMatrix matrix = new DeviceMatrix(device, reversed(w.shape()));
          fillTransposed(call, w, matrix);
          return matrix;
        });
  }

  @Override
  public void repack(Tensor w, Matrix target) {
    run(
        call -> {
          DeviceMatrix matrix = call.matrix(target);
          Operands.requireSameSizes(w.shape(), matrix.shape());
          call.copy(w, matrix.values.address());
        });
  }

  @Override
  public void repackTransposed(Tensor w, Matrix target) {
    run(
        call -> {
          DeviceMatrix matrix = call.matrix(target);
          Operands.requireSameSizes(reversed(w.shape()), matrix.shape());
          fillTransposed(call, w, matrix);
        });
  }

  private static void fillTransposed(Call call, Tensor w, DeviceMatrix matrix) {
    if (matrix.in == 0 || matrix.out == 0) {
      return;
    }
    if (w.storage() instanceof DeviceStorage) {
      spread(call, call.in(w), 0, matrix.out, matrix);
      return;
    }
    int step = Math.clamp(TRANSPOSED_FLOATS / matrix.in, 1, matrix.out);
    float[] part = new float[Math.multiplyExact(step, matrix.in)];
    long at = call.floats(part.length);
    Storage from = w.storage();
    for (int first = 0; first < matrix.out; first += step) {
      int rows = Math.min(step, matrix.out - first);
      from.read((long) first * matrix.in, part, 0, rows * matrix.in);
      call.transfers().send(part, 0, rows * matrix.in, at);
      spread(call, at, first, rows, matrix);
    }
  }

  private static void spread(Call call, long part, int first, int rows, DeviceMatrix matrix) {
    call.launch("resid_spread_columns")
        .pointer(part)
        .number(rows)
        .number(matrix.in)
        .pointer(matrix.values.address())
        .number(matrix.out)
        .number(first)
        .overElements((long) rows * matrix.in);
  }

  private static Shape reversed(Shape shape) {
    List<dev.resid.tensor.Dim> dims = new ArrayList<>(shape.dims());
    Collections.reverse(dims);
    return new Shape(dims);
  }

  // ---- embedding

  @Override
  public void gatherRows(Tensor table, int[] ids, Tensor out) {
    int C = columns(table);
    require("out", out, ids.length, C);
    requireIndices("ids", ids, ids.length, 0, rows(table));
    run(
        call ->
            call.launch("resid_gather_rows")
                .pointer(call.in(table))
                .pointer(call.ints(ids))
                .pointer(call.out("out", out))
                .number((long) ids.length * C)
                .number(C)
                .overElements((long) ids.length * C));
  }

  @Override
  public void gatherColumns(Matrix w, int[] ids, Tensor out) {
    run(
        call -> {
          DeviceMatrix matrix = call.matrix(w);
          require("out", out, ids.length, matrix.in);
          requireIndices("ids", ids, ids.length, 0, matrix.out);
          call.launch("resid_gather_columns")
              .pointer(matrix.values.address())
              .number(matrix.out)
              .pointer(call.ints(ids))
              .pointer(call.out("out", out))
              .number((long) ids.length * matrix.in)
              .number(matrix.in)
              .overElements((long) ids.length * matrix.in);
        });
  }

  @Override
  public void scatterAddRows(Tensor rows, int[] ids, Tensor table) {
    require("rows", rows, ids.length, columns(table));
    requireIndices("ids", ids, ids.length, 0, rows(table));
    run(call -> RowOps.scatterAddRows(call, rows, ids, table));
  }

  // ---- layer norm

  @Override
  public void layerNormScale(Tensor x, double epsilon, Tensor scale) {
    requireElements("scale", scale, rows(x));
    run(
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

  @Override
  public void layerNormApply(Tensor x, Tensor scale, Tensor gamma, Tensor beta, Tensor out) {
    requireElements("scale", scale, rows(x));
    requireElements("gamma", gamma, columns(x));
    requireElements("beta", beta, columns(x));
    requireLike("out", out, x);
    run(
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

  @Override
  public void layerNormApplyBackwardInput(Tensor dOut, Tensor scale, Tensor gamma, Tensor dX) {
    requireElements("scale", scale, rows(dOut));
    requireElements("gamma", gamma, columns(dOut));
    requireLike("dX", dX, dOut);
    run(
        call ->
            perRow(
                call.launch("resid_layer_norm_apply_backward_input")
                    .pointer(call.in(dOut))
                    .pointer(call.in(scale))
                    .pointer(call.in(gamma))
                    .pointer(call.out("dX", dX)),
                dOut));
  }

  @Override
  public void layerNormApplyBackwardScale(
      Tensor dOut, Tensor x, Tensor scale, Tensor gamma, Tensor dScale) {
    requireLike("dOut", dOut, x);
    requireElements("scale", scale, rows(x));
    requireElements("gamma", gamma, columns(x));
    requireElements("dScale", dScale, rows(x));
    run(
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

  @Override
  public void layerNormApplyBackwardParameters(
      Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta) {
    requireLike("dOut", dOut, x);
    requireElements("scale", scale, rows(x));
    requireElements("dGamma", dGamma, columns(x));
    requireElements("dBeta", dBeta, columns(x));
    run(call -> RowOps.layerNormParameters(call, dOut, x, scale, dGamma, dBeta));
  }

  @Override
  public void layerNormScaleBackward(Tensor dScale, Tensor x, Tensor scale, Tensor dX) {
    requireElements("dScale", dScale, rows(x));
    requireElements("scale", scale, rows(x));
    requireLike("dX", dX, x);
    run(
        call ->
            perRow(
                call.launch("resid_layer_norm_scale_backward")
                    .pointer(call.in(dScale))
                    .pointer(call.in(x))
                    .pointer(call.in(scale))
                    .pointer(call.inOut("dX", dX)),
                x));
  }

  // ---- products

  @Override
  public void linear(Tensor x, Matrix w, Tensor bias, Activation activation, Tensor out) {
    run(
        call -> {
          DeviceMatrix matrix = unembedding(call, x, w, bias);
          require("out", out, rows(x), matrix.out);
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
  private static DeviceMatrix unembedding(Call call, Tensor x, Matrix w, Tensor bias) {
    DeviceMatrix matrix = call.matrix(w);
    require("x", x, rows(x), matrix.in);
    requireElements("bias", bias, matrix.out);
    return matrix;
  }

  @Override
  public void linearBackwardInput(Tensor dOut, Matrix w, Tensor dX) {
    run(
        call -> {
          DeviceMatrix matrix = call.matrix(w);
          require("dOut", dOut, rows(dOut), matrix.out);
          require("dX", dX, rows(dOut), matrix.in);
          products.multiplyTransposed(
              rows(dOut),
              Rows.of(call.in(dOut), matrix.out),
              Rows.of(matrix.values.address(), matrix.out),
              Rows.of(call.out("dX", dX), matrix.in));
        });
  }

  @Override
  public void addOuterProducts(Tensor a, Tensor b, Tensor sum) {
    int m = columns(a);
    int n = columns(b);
    require("b", b, rows(a), n);
    require("sum", sum, m, n);
    run(
        call ->
            products.addOuterProducts(
                rows(a),
                Rows.of(call.in(a), m),
                Rows.of(call.in(b), n),
                Rows.of(call.inOut("sum", sum), n)));
  }

  @Override
  public void addColumnSums(Tensor x, Tensor sum) {
    requireElements("sum", sum, columns(x));
    run(call -> RowOps.addColumnSums(call, x, sum));
  }

  // ---- sparse products

  @Override
  public SparseRows linearAbove(Tensor x, Matrix w, Tensor bias, Tensor threshold) {
    return get(
        call -> {
          DeviceMatrix matrix = unembedding(call, x, w, bias);
          requireElements("threshold", threshold, matrix.out);
          return sparse.linearAbove(call, x, matrix, bias, threshold);
        });
  }

  @Override
  public SparseRows linearTopK(Tensor x, Matrix w, Tensor bias, Tensor scale, int k) {
    return get(
        call -> {
          DeviceMatrix matrix = unembedding(call, x, w, bias);
          requireElements("scale", scale, matrix.out);
          Operands.requireBetween("k", k, matrix.out, matrix.shape());
          return sparse.linearTopK(call, x, matrix, bias, scale, k);
        });
  }

  @Override
  public void sparseLinear(SparseRows x, Tensor w, Tensor bias, Tensor out) {
    require("w", w, x.columns(), columns(w));
    requireElements("bias", bias, columns(w));
    require("out", out, x.rows(), columns(w));
    Operands.requireColumns(x);
    run(call -> SparseOps.sparseLinear(call, x, w, bias, out));
  }

  // ---- attention

  @Override
  public void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
    AttentionOps.Sizes n = AttentionOps.Sizes.of(q, k).keys("v", v).queries("z", z);
    run(
        call ->
            attention.attention(
                call, n, call.in(q), call.in(k), call.in(v), spec, call.out("z", z)));
  }

  @Override
  public void attentionScores(Tensor q, Tensor k, AttentionSpec spec, Tensor scores) {
    AttentionOps.Sizes n = AttentionOps.Sizes.of(q, k).pattern("scores", scores);
    run(
        call ->
            AttentionOps.scores(call, n, call.in(q), call.in(k), spec, call.out("scores", scores)));
  }

  @Override
  public void softmax(Tensor x, Tensor out) {
    requireLike("out", out, x);
    run(
        call ->
            perRow(
                call.launch("resid_softmax").pointer(call.in(x)).pointer(call.out("out", out)), x));
  }

  @Override
  public void attentionMix(Tensor pattern, Tensor v, Tensor z) {
    AttentionOps.Sizes n = AttentionOps.Sizes.of(z, v).pattern("pattern", pattern);
    run(call -> AttentionOps.mix(call, n, call.in(pattern), call.in(v), call.out("z", z)));
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
    AttentionOps.Sizes n =
        AttentionOps.Sizes.of(q, k)
            .keys("v", v)
            .queries("dZ", dZ)
            .queries("dQ", dQ)
            .keys("dK", dK)
            .keys("dV", dV);
    run(
        call ->
            AttentionOps.backward(
                call,
                n,
                new AttentionOps.Gradients(
                    call.in(dZ),
                    call.in(q),
                    call.in(k),
                    call.in(v),
                    call.out("dQ", dQ),
                    call.out("dK", dK),
                    call.out("dV", dV)),
                spec));
  }

  @Override
  public void attentionMixBackward(
      Tensor dZ, Tensor pattern, Tensor v, Tensor dPattern, Tensor dV) {
    AttentionOps.Sizes n =
        AttentionOps.Sizes.of(dZ, v)
            .pattern("pattern", pattern)
            .pattern("dPattern", dPattern)
            .keys("dV", dV);
    run(
        call ->
            AttentionOps.mixBackward(
                call,
                n,
                call.in(dZ),
                call.in(pattern),
                call.in(v),
                call.out("dPattern", dPattern),
                call.out("dV", dV)));
  }

  @Override
  public void softmaxBackward(Tensor dP, Tensor p, Tensor dX) {
    requireLike("dP", dP, p);
    requireLike("dX", dX, p);
    run(
        call ->
            perRow(
                call.launch("resid_softmax_backward")
                    .pointer(call.in(dP))
                    .pointer(call.in(p))
                    .pointer(call.out("dX", dX)),
                p));
  }

  @Override
  public void attentionScoresBackward(
      Tensor dScores, Tensor q, Tensor k, AttentionSpec spec, Tensor dQ, Tensor dK) {
    AttentionOps.Sizes n =
        AttentionOps.Sizes.of(q, k).pattern("dScores", dScores).queries("dQ", dQ).keys("dK", dK);
    run(
        call ->
            AttentionOps.scoresBackward(
                call,
                n,
                call.in(dScores),
                call.in(q),
                call.in(k),
                spec,
                call.out("dQ", dQ),
                call.out("dK", dK)));
  }

  // ---- element-wise

  @Override
  public void activate(Tensor x, Activation activation, Tensor out) {
    requireLike("out", out, x);
    run(
        call ->
            call.launch("resid_activate")
                .pointer(call.in(x))
                .number(activation.ordinal())
                .pointer(call.out("out", out))
                .elements(x.elements()));
  }

  @Override
  public void activateBackward(Tensor dOut, Tensor x, Activation activation, Tensor dX) {
    requireLike("x", x, dOut);
    requireLike("dX", dX, dOut);
    run(
        call ->
            call.launch("resid_activate_backward")
                .pointer(call.in(dOut))
                .pointer(call.in(x))
                .number(activation.ordinal())
                .pointer(call.out("dX", dX))
                .elements(x.elements()));
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor out) {
    requireLike("b", b, a);
    requireLike("out", out, a);
    run(
        call ->
            call.launch("resid_add")
                .pointer(call.in(a))
                .pointer(call.in(b))
                .pointer(call.out("out", out))
                .elements(a.elements()));
  }

  @Override
  public void addScaled(Tensor a, double factor, Tensor b, Tensor out) {
    requireLike("b", b, a);
    requireLike("out", out, a);
    run(
        call ->
            call.launch("resid_add_scaled")
                .pointer(call.in(a))
                .number((float) factor)
                .pointer(call.in(b))
                .pointer(call.out("out", out))
                .elements(a.elements()));
  }

  // ---- reductions

  @Override
  public double[] crossEntropy(Tensor logits, int[] labels) {
    requireIndices("labels", labels, rows(logits), -1, columns(logits));
    return get(
        call ->
            VocabularyOps.crossEntropy(
                call, call.in(logits), rows(logits), columns(logits), labels));
  }

  @Override
  public void crossEntropyBackward(Tensor logits, int[] labels, double weight, Tensor dLogits) {
    requireIndices("labels", labels, rows(logits), -1, columns(logits));
    requireLike("dLogits", dLogits, logits);
    run(
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

  @Override
  public double[] unembedCrossEntropy(Tensor x, Matrix w, Tensor bias, int[] labels) {
    return get(
        call -> {
          DeviceMatrix matrix = unembedding(call, x, w, bias);
          requireIndices("labels", labels, rows(x), -1, matrix.out);
          return vocabulary.unembedCrossEntropy(
              call, call.in(x), rows(x), matrix, call.in(bias), labels);
        });
  }

  @Override
  public double[] unembedLogSumExp(Tensor x, Matrix w, Tensor bias) {
    return get(
        call -> {
          DeviceMatrix matrix = unembedding(call, x, w, bias);
          return vocabulary.unembedLogSumExp(call, call.in(x), rows(x), matrix, call.in(bias));
        });
  }

  @Override
  public double[] unembedKl(Tensor base, Tensor perturbed, Matrix w, Tensor bias) {
    return get(
        call -> {
          DeviceMatrix matrix = unembedding(call, base, w, bias);
          int R = rows(base);
          int changed = rows(perturbed);
          require("perturbed", perturbed, changed, matrix.in);
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

  @Override
  public double[] l2Distance(Tensor a, Tensor b) {
    requireLike("b", b, a);
    return get(call -> RowOps.l2Distance(call, a, b));
  }

  @Override
  public double sumOfSquares(Tensor x) {
    return get(call -> RowOps.sumOfSquares(call, x));
  }

  @Override
  public TopK topK(Tensor x, int k) {
    Operands.requireBetween("k", k, columns(x), x.shape());
    return get(call -> SparseOps.topK(call, x, k));
  }

  // ---- optimiser

  @Override
  public void adamW(
      AdamStep step, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
    long n = parameter.elements();
    requireElements("gradient", gradient, n);
    requireElements("moment1", moment1, n);
    requireElements("moment2", moment2, n);
    run(
        call ->
            call.launch("resid_adamw")
                .pointer(call.inOut("parameter", parameter))
                .pointer(call.in(gradient))
                .pointer(call.inOut("moment1", moment1))
                .pointer(call.inOut("moment2", moment2))
                .number(n)
                .number(step.learningRate())
                .number(step.beta1())
                .number(step.beta2())
                .number(step.epsilon())
                .number(1 - step.learningRate() * step.weightDecay())
                .number(step.gradientScale())
                .number(1 - StrictMath.pow(step.beta1(), step.step()))
                .number(1 - StrictMath.pow(step.beta2(), step.step()))
                .overElements(n));
  }

  @Override
  public void close() {
    if (!device.isClosed()) {
      blas.close();
      device.close();
    }
  }
}
