package dev.resid.backend;

import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import dev.resid.testing.Cases;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.TensorAssert;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Every kernel once, on inputs large enough to be worth splitting over threads and of sizes that
 * split unevenly. For the promises that hold for all kernels alike.
 */
final class KernelProgramme {
  private static final int ROWS = 33;
  private static final int WIDTH = 1031;
  private static final int R = 37;
  private static final int C = 259;
  private static final int OUT = 517;
  private static final AttentionContract.Sizes ATTENTION =
      new AttentionContract.Sizes(3, 29, 29, 3, 20, 0);

  private final Cases cases = Cases.ofThisRun();
  private final Tensor x = rows(ROWS, WIDTH);
  private final Tensor y = rows(ROWS, WIDTH);
  private final Tensor scale =
      cases
          .tensor(ContractBench.perRow(ROWS), Values.ORDINARY)
          .map(value -> Math.abs(value) + 0.1f);
  private final Tensor gamma = cases.tensor(ContractBench.vector(WIDTH), Values.ORDINARY);
  private final Tensor beta = cases.tensor(ContractBench.vector(WIDTH), Values.ORDINARY);
  private final int[] ids = cases.indices(ROWS, 19);
  private final int[] labels = cases.indices(ROWS, WIDTH);
  private final Tensor in = rows(R, C);
  private final Tensor otherIn = rows(R, C);
  private final Tensor dOut = rows(R, OUT);
  private final Tensor w = cases.tensor(ContractBench.matrix(C, OUT), Values.ORDINARY);
  private final Tensor bias = cases.tensor(ContractBench.vector(OUT), Values.ORDINARY);
  private final Tensor q = cases.tensor(ATTENTION.queries(), Values.ORDINARY);
  private final Tensor k = cases.tensor(ATTENTION.keys(), Values.ORDINARY);
  private final Tensor v = cases.tensor(ATTENTION.keys(), Values.ORDINARY);
  private final Tensor table = cases.tensor(ContractBench.matrix(OUT, C), Values.ORDINARY);
  private final int[] inIds = cases.indices(R, OUT);
  private final int[] tokens = cases.indices(R, OUT);

  private Map<String, double[]> results;

  private Tensor rows(int rows, int columns) {
    return cases.tensor(ContractBench.rows(rows, columns), Values.ORDINARY);
  }

  /** Returns every kernel's results by name. */
  Map<String, double[]> run(Backend backend) {
    results = new LinkedHashMap<>();
    rowKernels(backend);
    layerNorm(backend);
    products(backend);
    sparseProducts(backend);
    attention(backend);
    reductions(backend);
    return results;
  }

  /** What a kernel does with its output. */
  private interface Writing {
    void to(Tensor out);
  }

  /** Runs a kernel on an output that holds ones, for those that add. */
  private Tensor keep(Backend b, String name, Shape shape, Writing kernel) {
    Tensor out = b.allocate(shape);
    float[] ones = new float[Math.toIntExact(shape.elements())];
    Arrays.fill(ones, 1);
    b.copy(Tensor.wrap(shape, ones), out);
    kernel.to(out);
    results.put(name, TensorAssert.doubles(out.toArray()));
    return out;
  }

  private void rowKernels(Backend b) {
    keep(b, "copy", x.shape(), out -> b.copy(x, out));
    keep(b, "gatherRows", x.shape(), out -> b.gatherRows(y, ids, out));
    keep(b, "scatterAddRows", x.shape(), out -> b.scatterAddRows(x, ids, out));
    Tensor p = keep(b, "softmax", x.shape(), out -> b.softmax(x, out));
    keep(b, "softmaxBackward", x.shape(), out -> b.softmaxBackward(y, p, out));
    for (Activation f : new Activation[] {Activation.GELU_NEW, Activation.RELU}) {
      keep(b, "activate " + f, x.shape(), out -> b.activate(x, f, out));
      keep(b, "activateBackward " + f, x.shape(), out -> b.activateBackward(y, x, f, out));
    }
    keep(b, "add", x.shape(), out -> b.add(x, y, out));
    keep(b, "addScaled", x.shape(), out -> b.addScaled(x, 0.3, y, out));
    AdamStep step = new AdamStep(1e-2, 0.9, 0.99, 1e-8, 0.1, 1, 7);
    Tensor first = keep(b, "first moment", x.shape(), out -> b.copy(x, out));
    Tensor second = keep(b, "second moment", x.shape(), out -> b.copy(x.map(Math::abs), out));
    keep(b, "adamW", x.shape(), out -> b.adamW(step, out, y, first, second));
    keep(b, "adamW moment1", x.shape(), out -> b.copy(first, out));
    keep(b, "adamW moment2", x.shape(), out -> b.copy(second, out));
  }

  private void layerNorm(Backend b) {
    Shape perRow = scale.shape();
    keep(b, "layerNormScale", perRow, out -> b.layerNormScale(x, 1e-5, out));
    keep(b, "layerNormApply", x.shape(), out -> b.layerNormApply(x, scale, gamma, beta, out));
    keep(
        b,
        "layerNormApplyBackwardInput",
        x.shape(),
        out -> b.layerNormApplyBackwardInput(y, scale, gamma, out));
    keep(
        b,
        "layerNormApplyBackwardScale",
        perRow,
        out -> b.layerNormApplyBackwardScale(y, x, scale, gamma, out));
    keep(
        b,
        "dGamma",
        gamma.shape(),
        out -> b.layerNormApplyBackwardParameters(y, x, scale, out, b.allocate(beta.shape())));
    keep(
        b,
        "dBeta",
        beta.shape(),
        out -> b.layerNormApplyBackwardParameters(y, x, scale, b.allocate(gamma.shape()), out));
    keep(
        b,
        "layerNormScaleBackward",
        x.shape(),
        out -> b.layerNormScaleBackward(scale, x, scale, out));
  }

  private void products(Backend b) {
    Matrix packed = b.pack(w);
    for (Activation f : new Activation[] {Activation.IDENTITY, Activation.GELU_NEW}) {
      keep(b, "linear " + f, dOut.shape(), out -> b.linear(in, packed, bias, f, out));
    }
    keep(b, "linearBackwardInput", in.shape(), out -> b.linearBackwardInput(dOut, packed, out));
    keep(b, "addOuterProducts", w.shape(), out -> b.addOuterProducts(in, dOut, out));
    keep(b, "addColumnSums", gamma.shape(), out -> b.addColumnSums(x, out));
    keep(b, "gatherColumns", in.shape(), out -> b.gatherColumns(packed, inIds, out));
  }

  private void sparseProducts(Backend b) {
    Matrix packed = b.pack(w);
    SparseRows above = b.linearAbove(in, packed, bias, bias);
    keep("linearAbove", above);
    keep("linearTopK", b.linearTopK(in, packed, bias, bias, 7));
    Tensor offset = in.at(Axis.ROW, 0);
    keep(b, "sparseLinear", in.shape(), out -> b.sparseLinear(above, table, offset, out));
  }

  private void keep(String name, SparseRows rows) {
    results.put(name + " starts", Arrays.stream(rows.starts()).asDoubleStream().toArray());
    results.put(name + " indices", Arrays.stream(rows.indices()).asDoubleStream().toArray());
    double[] values = new double[rows.count()];
    Arrays.setAll(values, i -> rows.values()[i]);
    results.put(name + " values", values);
  }

  private void attention(Backend b) {
    AttentionContract.Sizes n = ATTENTION;
    keep(b, "attention", n.queries(), out -> b.attention(q, k, v, n.spec(), out));
    Tensor scores =
        keep(b, "attentionScores", n.pattern(), out -> b.attentionScores(q, k, n.spec(), out));
    Tensor p = keep(b, "pattern", n.pattern(), out -> b.softmax(scores, out));
    keep(b, "attentionMix", n.queries(), out -> b.attentionMix(p, v, out));
    Tensor other = b.allocate(n.keys());
    keep(
        b,
        "attentionMixBackward dV",
        n.keys(),
        out -> b.attentionMixBackward(q, p, v, b.allocate(n.pattern()), out));
    Tensor dP =
        keep(
            b,
            "attentionMixBackward dPattern",
            n.pattern(),
            out -> b.attentionMixBackward(q, p, v, out, other));
    keep(
        b,
        "attentionScoresBackward dQ",
        n.queries(),
        out -> b.attentionScoresBackward(dP, q, k, n.spec(), out, other));
    keep(
        b,
        "attentionScoresBackward dK",
        n.keys(),
        out -> b.attentionScoresBackward(dP, q, k, n.spec(), b.allocate(n.queries()), out));
    Tensor dQ = b.allocate(n.queries());
    Tensor dK = b.allocate(n.keys());
    keep(
        b,
        "attentionBackward dV",
        n.keys(),
        out -> b.attentionBackward(q, q, k, v, n.spec(), dQ, dK, out));
    keep(b, "attentionBackward dQ", n.queries(), out -> b.copy(dQ, out));
    keep(b, "attentionBackward dK", n.keys(), out -> b.copy(dK, out));
  }

  private void reductions(Backend b) {
    Matrix packed = b.pack(w);
    results.put("crossEntropy", b.crossEntropy(x, labels));
    keep(b, "crossEntropyBackward", x.shape(), out -> b.crossEntropyBackward(x, labels, 0.25, out));
    results.put("unembedCrossEntropy", b.unembedCrossEntropy(in, packed, bias, tokens));
    results.put("unembedLogSumExp", b.unembedLogSumExp(in, packed, bias));
    results.put("unembedKl", b.unembedKl(in, otherIn, packed, bias));
    Shape twice = Shape.of(Axis.LENGTH, 2, Axis.ROW, R, Axis.D_MODEL, C);
    float[] both = Arrays.copyOf(otherIn.toArray(), 2 * R * C);
    System.arraycopy(in.toArray(), 0, both, R * C, R * C);
    results.put("unembedKl twice", b.unembedKl(in, Tensor.wrap(twice, both), packed, bias));
    results.put("l2Distance", b.l2Distance(x, y));
    results.put("sumOfSquares", new double[] {b.sumOfSquares(x)});
    TopK top = b.topK(x, 5);
    results.put("topK", Arrays.stream(top.indices()).asDoubleStream().toArray());
  }
}
