package dev.resid.backend;

import static dev.resid.backend.ContractBench.abs;
import static dev.resid.backend.ContractBench.matrix;
import static dev.resid.backend.ContractBench.rows;
import static dev.resid.backend.ContractBench.vector;
import static dev.resid.testing.Tolerance.U;

import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.Tolerance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Contract of the reductions to one float64 number a row, and of top-k. Long because it is a list.
 */
interface ReductionContract {
  /** Rows, d_model and a vocabulary that is a multiple of nothing. */
  List<int[]> SIZES =
      List.of(
          new int[] {1, 1, 1},
          new int[] {2, 5, 3},
          new int[] {3, 64, 101},
          new int[] {9, 17, 257},
          new int[] {17, 24, 1031},
          new int[] {1, 768, 64});

  /** Returns the bench of the running test. */
  ContractBench bench();

  /** The cross-entropy of logits agrees; rows without a label give exactly 0. */
  @Test
  default void crossEntropyAgrees() {
    for (int width : RowContract.WIDTHS) {
      for (Values kind : Values.values()) {
        Tensor logits = bench().in(kind, rows(4, width));
        int[] labels = bench().cases.indices(4, width);
        labels[1] = -1;
        labels[3] = width - 1;
        bench()
            .compareRows(
                "crossEntropy of " + kind,
                b -> b.crossEntropy(logits, labels),
                KernelBounds.crossEntropy(logits));
        bench()
            .check("crossEntropy without a label")
            .holds(bench().tested.crossEntropy(logits, labels)[1] == 0, "expected exactly 0");
      }
    }
  }

  /** The gradient of the cross-entropy agrees; rows without a label give 0. */
  @Test
  default void crossEntropyBackwardAgrees() {
    for (int width : RowContract.WIDTHS) {
      for (double weight : new double[] {1, -1.0 / 3}) {
        Tensor logits = bench().in(rows(4, width));
        int[] labels = bench().cases.indices(4, width);
        labels[1] = -1;
        labels[3] = width - 1;
        Tensor p = bench().reference(logits.shape(), (b, out) -> b.softmax(logits, out));
        Tolerance ofSoftmax = KernelBounds.softmax(logits);
        // The error of the softmax, then a difference and a product.
        bench()
            .compare(
                "crossEntropyBackward",
                logits.shape(),
                (b, out) -> b.crossEntropyBackward(logits, labels, weight, out),
                (i, expected) ->
                    Math.abs(weight) * ofSoftmax.allowed(i, p.get(i / width, i % width))
                        + 3 * U * Math.abs(expected));
      }
    }
  }

  /** The logits' largest error bound, (C+3)·u·(Σ|x·w| + |bias|), over all rows. */
  private double logitError(Tensor x, Tensor w, Tensor bias) {
    int V = w.shape().last();
    Shape shape = Shape.of(Axis.ROW, (int) x.shape().rows(), Axis.D_VOCAB, V);
    Tensor magnitudes =
        bench()
            .reference(
                shape,
                (b, out) -> b.linear(abs(x), b.pack(abs(w)), abs(bias), Activation.IDENTITY, out));
    double largest = 0;
    for (float magnitude : magnitudes.toArray()) {
      largest = Math.max(largest, magnitude);
    }
    return (x.shape().last() + 3) * U * largest;
  }

  /** Log-sum-exp and cross-entropy through the unembedding agree. */
  @Test
  default void unembedReductionsAgree() {
    for (int[] size : SIZES) {
      for (Values kind : new Values[] {Values.ORDINARY, Values.CANCELLING, Values.MIXED}) {
        Tensor x = bench().in(bench().cases.tensor(rows(size[0], size[1]), kind));
        Tensor w = bench().in(matrix(size[1], size[2]));
        Tensor bias = bench().in(vector(size[2]));
        int[] labels = bench().cases.indices(size[0], size[2]);
        labels[0] = size[2] - 1;
        double logits = logitError(x, w, bias);
        double own = KernelBounds.logSumExp(size[2], logits / U);
        bench()
            .compareRows(
                "unembedLogSumExp of " + kind,
                b -> b.unembedLogSumExp(x, b.pack(w), bias),
                Tolerance.within(logits + own, 0));
        bench()
            .compareRows(
                "unembedCrossEntropy of " + kind,
                b -> b.unembedCrossEntropy(x, b.pack(w), bias, labels),
                Tolerance.within(2 * logits + own, 0));
      }
    }
  }

  /** Rows without a label give exactly 0. */
  @Test
  default void unembedCrossEntropyLeavesRowsOut() {
    Tensor x = bench().in(rows(3, 7));
    Matrix w = bench().tested.pack(bench().in(matrix(7, 33)));
    Tensor bias = bench().in(vector(33));
    double[] nats = bench().tested.unembedCrossEntropy(x, w, bias, new int[] {4, -1, 32});
    bench()
        .check("unembedCrossEntropy")
        .holds(nats[0] > 0 && nats[1] == 0 && nats[2] > 0, "found " + Arrays.toString(nats));
  }

  /** The divergence agrees, for one and for several runs against the same base. */
  @Test
  default void unembedKlAgrees() {
    for (int[] size : SIZES) {
      for (int runs : new int[] {1, 3}) {
        for (double distance : new double[] {1, 1e-2}) {
          unembedKlAgrees(size, runs, distance);
        }
      }
    }
  }

  private void unembedKlAgrees(int[] size, int runs, double distance) {
    Tensor base = bench().in(rows(size[0], size[1]));
    Tensor perturbed = bench().in(perturbed(base, runs, distance));
    Tensor w = bench().in(matrix(size[1], size[2]));
    Tensor bias = bench().in(vector(size[2]));
    double logits = Math.max(logitError(base, w, bias), logitError(perturbed, w, bias));
    double own = KernelBounds.logSumExp(size[2], logits / U);
    Matrix packed = bench().reference.pack(w);
    double[] distances = bench().reference.unembedKl(base, perturbed, packed, bias);
    double float64 = 0x1p-50 * (1 + logits / U);
    // dKL = Σ p·(ln p − ln q − KL)·da + Σ (q − p)·db for errors da, db of the two rows of logits;
    // Σ p·|ln p − ln q| ≤ KL + 2·√(KL/2) by Pinsker's inequality, as is Σ |q − p|.
    bench()
        .compareRows(
            "unembedKl of " + runs + " runs at " + distance,
            b -> b.unembedKl(base, perturbed, b.pack(w), bias),
            (r, expected) -> {
              double kl = Math.max(0, distances[r]);
              double total = 2 * kl + 4 * Math.sqrt(kl / 2);
              return 2 * (logits + own) * total + 4 * (logits + own) * (logits + own) + float64;
            });
  }

  private Tensor perturbed(Tensor base, int runs, double distance) {
    int C = base.shape().last();
    int R = (int) base.shape().rows();
    float[] values = base.toArray();
    float[] noise = bench().cases.values(runs * R * C, Values.ORDINARY);
    for (int i = 0; i < noise.length; i++) {
      noise[i] = (float) (values[i % (R * C)] + distance * noise[i]);
    }
    return Tensor.wrap(rows(runs * R, C), noise);
  }

  /** Both at once have the bits of each alone. */
  @Test
  default void klAndCrossEntropyAreThoseOfEachAlone() {
    for (int[] size : SIZES) {
      for (int runs : new int[] {1, 3}) {
        Tensor base = bench().in(rows(size[0], size[1]));
        Tensor perturbed = bench().in(perturbed(base, runs, 0.5));
        Matrix w = bench().tested.pack(bench().in(matrix(size[1], size[2])));
        Tensor bias = bench().in(vector(size[2]));
        int n = runs * size[0];
        int[] labels = bench().cases.indices(n, size[2]);
        labels[n - 1] = size[2] - 1;
        labels[n / 2] = -1;
        double[] nats = new double[n];
        Backend b = bench().tested;
        double[] kl = b.unembedKlAndCrossEntropy(base, perturbed, w, bias, labels, nats);
        bench()
            .check("KL of both at once")
            .sameBits(vector(n), b.unembedKl(base, perturbed, w, bias), kl);
        bench()
            .check("cross-entropy of both at once")
            .sameBits(vector(n), b.unembedCrossEntropy(perturbed, w, bias, labels), nats);
      }
    }
  }

  /** Row i of the perturbed runs is compared with row i mod R of the base. */
  @Test
  default void klRepeatsTheBaseForEveryRun() {
    Tensor base = bench().in(rows(5, 17));
    Tensor perturbed = bench().in(perturbed(base, 3, 0.5));
    Matrix w = bench().tested.pack(bench().in(matrix(17, 101)));
    Tensor bias = bench().in(vector(101));
    double[] all = bench().tested.unembedKl(base, perturbed, w, bias);
    for (int i = 0; i < 15; i++) {
      Tensor one = bench().in(ContractBench.part(perturbed, i, i + 1));
      Tensor its = bench().in(ContractBench.part(base, i % 5, i % 5 + 1));
      bench()
          .check("unembedKl of row " + i + " alone")
          .sameBits(vector(1), new double[] {all[i]}, bench().tested.unembedKl(its, one, w, bias));
    }
  }

  /** The divergence of equal streams is exactly 0. */
  @Test
  default void klOfEqualStreamsIsExactlyZero() {
    for (int[] size : SIZES) {
      Tensor base = bench().in(Values.MIXED, rows(size[0], size[1]));
      Tensor same = bench().in(base);
      Tensor w = bench().in(matrix(size[1], size[2]));
      Tensor bias = bench().in(vector(size[2]));
      for (double kl : bench().tested.unembedKl(base, same, bench().tested.pack(w), bias)) {
        bench().check("unembedKl of equal streams").holds(kl == 0, "expected 0, found " + kl);
      }
    }
  }

  /** KL(p‖q) is taken, not KL(q‖p): the two differ by more than any rounding. */
  @Test
  default void klIsDirected() {
    // One feature decides between two tokens: logits (0, x).
    Tensor base = bench().in(Tensor.of(rows(1, 1), 0f));
    Tensor perturbed = bench().in(Tensor.of(rows(1, 1), 3f));
    Matrix w = bench().tested.pack(bench().in(Tensor.of(matrix(1, 2), 0f, 1f)));
    Tensor bias = bench().in(Tensor.of(vector(2), 0f, 0f));
    // p = (1/2, 1/2), q = (σ(−3), σ(3)): KL = −ln 2 − ½·ln σ(3) − ½·ln σ(−3).
    double expected = -Math.log(2) + 0.5 * Math.log1p(Math.exp(-3)) + 0.5 * Math.log1p(Math.exp(3));
    bench()
        .check("unembedKl")
        .close(
            vector(1),
            new double[] {expected},
            bench().tested.unembedKl(base, perturbed, w, bias),
            Tolerance.within(1e-6, 0));
  }

  /** The same number added to every logit changes nothing but rounding. */
  @Test
  default void aConstantInTheBiasDoesNotChangeKl() {
    Tensor base = bench().in(rows(9, 17));
    Tensor perturbed = bench().in(perturbed(base, 1, 0.3));
    Tensor w = bench().in(matrix(17, 257));
    Tensor bias = bench().in(vector(257));
    Tensor shifted = bench().in(bias.map(b -> b + 8));
    double logits = logitError(base, w, shifted) + logitError(perturbed, w, shifted);
    Matrix packed = bench().tested.pack(w);
    double[] expected = bench().tested.unembedKl(base, perturbed, packed, bias);
    double[] actual = bench().tested.unembedKl(base, perturbed, packed, shifted);
    bench()
        .check("unembedKl with 8 more on every logit")
        .close(
            vector(9),
            expected,
            actual,
            (r, kl) -> 4 * logits * (2 * kl + 4 * Math.sqrt(kl / 2)) + 4 * logits * logits);
  }

  /** Tokens that a bias of −∞ rules out count for nothing in any reduction. */
  @Test
  default void tokensRuledOutCountForNothing() {
    int V = 83;
    Tensor base = bench().in(rows(3, 7));
    Tensor perturbed = bench().in(perturbed(base, 1, 0.5));
    for (int from : new int[] {0, V - 40}) {
      float[] masked = bench().cases.values(V, Values.ORDINARY);
      Arrays.fill(masked, from, from + 40, Float.NEGATIVE_INFINITY);
      Tensor bias = bench().in(Tensor.wrap(vector(V), masked));
      Tensor w = bench().in(matrix(7, V));
      int[] labels = {41, 42, 42};
      Tolerance bound = Tolerance.within(1e-5, 0); // V·u·Σ|x·w|, about 20
      bench()
          .compareRows("unembedLogSumExp", b -> b.unembedLogSumExp(base, b.pack(w), bias), bound);
      bench().compareRows("unembedKl", b -> b.unembedKl(base, perturbed, b.pack(w), bias), bound);
      bench()
          .compareRows(
              "unembedCrossEntropy",
              b -> b.unembedCrossEntropy(base, b.pack(w), bias, labels),
              bound);
    }
  }

  /** A NaN in a row makes that row's numbers NaN and leaves the others alone. */
  @Test
  default void reductionsKeepNanInItsRow() {
    for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      float[] values = bench().cases.values(3 * 17, Values.ORDINARY);
      values[17 + 16] = value;
      Tensor x = bench().in(Tensor.wrap(rows(3, 17), values));
      Tensor w = bench().in(matrix(17, 101));
      Tensor bias = bench().in(vector(101));
      Tensor other = bench().in(rows(3, 17));
      int[] labels = {3, 5, 16};
      Tolerance bound = Tolerance.within(1e-3, 1e-4); // the pattern is what is tested
      bench().compareRows("crossEntropy", b -> b.crossEntropy(x, labels), bound);
      bench().compareRows("l2Distance", b -> b.l2Distance(x, other), bound);
      bench().compareRows("logSumExp", b -> b.unembedLogSumExp(x, b.pack(w), bias), bound);
      bench().compareRows("kl, base", b -> b.unembedKl(x, other, b.pack(w), bias), bound);
      bench().compareRows("kl, perturbed", b -> b.unembedKl(other, x, b.pack(w), bias), bound);
      bench().compareRows("cross", b -> b.unembedCrossEntropy(x, b.pack(w), bias, labels), bound);
    }
  }

  /** Distances and sums of squares agree in float64: neither 1e-40 nor 1e30 is lost. */
  @Test
  default void distancesAndSquaresAgree() {
    for (int width : RowContract.WIDTHS) {
      for (Values kind : Values.values()) {
        Tensor a = bench().in(kind, rows(3, width));
        Tensor c = bench().in(kind, rows(3, width));
        // The differences may be rounded to float, the squares and sums are in float64.
        bench()
            .compareRows(
                "l2Distance of " + kind, b -> b.l2Distance(a, c), Tolerance.within(0, 2 * U));
        bench()
            .compareRows(
                "sumOfSquares of " + kind,
                b -> new double[] {b.sumOfSquares(a)},
                Tolerance.within(0, 3 * width * 0x1p-52));
      }
    }
  }

  /** The largest entries come in order, equal ones by index, NaN last. */
  @Test
  default void topKIsASortByValueThenIndex() {
    for (int width : RowContract.WIDTHS) {
      for (int k : new int[] {0, 1, 2, 5, 17, width}) {
        if (k <= width) {
          Tensor ordinary = bench().in(rows(3, width));
          topKIsASort(ordinary, k);
          Tensor ties = bench().cases.tensor(rows(3, width), Values.ORDINARY);
          topKIsASort(bench().in(ties.map(v -> (float) Math.rint(v))), k);
          topKIsASort(bench().in(ties.map(v -> v > 0.5 ? Float.NaN : v > 0 ? 1 : 2)), k);
          topKIsASort(bench().in(ties.map(v -> v > 0 ? Float.NEGATIVE_INFINITY : Float.NaN)), k);
        }
      }
    }
  }

  private void topKIsASort(Tensor x, int k) {
    int R = (int) x.shape().rows();
    List<Integer> expected = new ArrayList<>();
    for (int r = 0; r < R; r++) {
      int row = r;
      // 0 and −0 are equal values; Float.compare would order them, so 0 is added.
      Comparator<Integer> byValue =
          Comparator.comparing(
              i -> Float.isNaN(x.get(row, i)) ? Double.NEGATIVE_INFINITY : x.get(row, i) + 0.0);
      Comparator<Integer> nanLast = Comparator.comparing(i -> Float.isNaN(x.get(row, i)));
      IntStream.range(0, x.shape().last())
          .boxed()
          .sorted(nanLast.thenComparing(byValue.reversed()).thenComparing(i -> i))
          .limit(k)
          .forEach(expected::add);
    }
    TopK top = bench().tested.topK(x, k);
    int[] indices = expected.stream().mapToInt(i -> i).toArray();
    bench()
        .check("topK " + k + " of " + x.shape())
        .holds(
            top.k() == k && Arrays.equals(indices, top.indices()),
            "expected " + Arrays.toString(indices) + ", found " + Arrays.toString(top.indices()));
    for (int i = 0; i < indices.length; i++) {
      float value = x.get(i / k, indices[i]);
      bench()
          .check("topK values")
          .holds(
              Float.floatToIntBits(value) == Float.floatToIntBits(top.values()[i]),
              "expected " + value + ", found " + top.values()[i]);
    }
  }

  /** Reductions of no rows are empty. */
  @Test
  default void reductionsAcceptNoRows() {
    Tensor x = bench().in(rows(0, 5));
    Tensor w = bench().in(matrix(5, 7));
    Tensor bias = bench().in(vector(7));
    Tolerance exact = Tolerance.within(0, 0);
    bench().compareRows("crossEntropy", b -> b.crossEntropy(x, new int[0]), exact);
    bench().compareRows("l2Distance", b -> b.l2Distance(x, x), exact);
    bench().compareRows("logSumExp", b -> b.unembedLogSumExp(x, b.pack(w), bias), exact);
    bench().compareRows("kl", b -> b.unembedKl(x, x, b.pack(w), bias), exact);
    bench().compareRows("cross", b -> b.unembedCrossEntropy(x, b.pack(w), bias, new int[0]), exact);
    bench().compareRows("sumOfSquares", b -> new double[] {b.sumOfSquares(x)}, exact);
    bench().check("topK").holds(bench().tested.topK(x, 3).indices().length == 0, "not empty");
  }
}
