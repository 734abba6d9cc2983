package dev.resid.backend;

import static dev.resid.backend.ContractBench.abs;
import static dev.resid.backend.ContractBench.matrix;
import static dev.resid.backend.ContractBench.rows;
import static dev.resid.backend.ContractBench.vector;

import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.Tolerance;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Contract of the matrix products. */
interface ProductContract {
  /** Rows, in and out, all different except for the first. */
  List<int[]> SIZES =
      List.of(
          new int[] {1, 1, 1},
          new int[] {1, 3, 5},
          new int[] {2, 7, 4},
          new int[] {3, 8, 9},
          new int[] {4, 15, 7},
          new int[] {5, 16, 17},
          new int[] {6, 17, 16},
          new int[] {7, 33, 31},
          new int[] {13, 12, 64},
          new int[] {17, 64, 192},
          new int[] {6, 63, 101},
          new int[] {31, 5, 33},
          new int[] {3, 768, 65},
          new int[] {2, 257, 768});

  /** Returns the bench of the running test. */
  ContractBench bench();

  /** x·w + bias agrees for sizes around every lane count and block. */
  @Test
  default void linearAgrees() {
    for (int[] size : SIZES) {
      for (Values kind : Values.values()) {
        // Cancelling rows cancel only against equal weights.
        Values weights = kind == Values.CANCELLING ? Values.EQUAL : Values.ORDINARY;
        Tensor x = bench().in(kind, rows(size[0], size[1]));
        Tensor w = bench().in(weights, matrix(size[1], size[2]));
        Tensor bias = bench().in(vector(size[2]));
        Tensor magnitudes =
            bench()
                .reference(
                    outputs(size),
                    (b, out) ->
                        b.linear(abs(x), b.pack(abs(w)), abs(bias), Activation.IDENTITY, out));
        bench()
            .compare(
                "linear of " + kind,
                outputs(size),
                (b, out) -> b.linear(x, b.pack(w), bias, Activation.IDENTITY, out),
                Tolerance.sums(size[1], magnitudes));
      }
    }
  }

  private static Shape outputs(int[] size) {
    return Shape.of(Axis.ROW, size[0], Axis.OUT, size[2]);
  }

  /** A matrix packed from its transpose multiplies alike, bit for bit. */
  @Test
  default void linearIsTheSameHoweverPacked() {
    for (int[] size : SIZES) {
      Tensor x = bench().in(rows(size[0], size[1]));
      Tensor w = bench().in(matrix(size[1], size[2]));
      Tensor bias = bench().in(vector(size[2]));
      Tensor transposed = bench().in(transpose(w));
      Tensor expected =
          bench()
              .tested(
                  outputs(size),
                  (b, out) -> b.linear(x, b.pack(w), bias, Activation.IDENTITY, out));
      Tensor actual =
          bench()
              .tested(
                  outputs(size),
                  (b, out) ->
                      b.linear(x, b.packTransposed(transposed), bias, Activation.IDENTITY, out));
      bench().check("linear with packTransposed").sameBits(expected, actual);
    }
  }

  /** Returns the transpose [out, in]. */
  static Tensor transpose(Tensor w) {
    int in = w.shape().dims().get(0).size();
    int out = w.shape().dims().get(1).size();
    float[] values = w.toArray();
    float[] result = new float[values.length];
    for (int i = 0; i < in; i++) {
      for (int j = 0; j < out; j++) {
        result[j * in + i] = values[i * out + j];
      }
    }
    return Tensor.wrap(Shape.of(w.shape().dims().get(1), w.shape().dims().get(0)), result);
  }

  /** The fused activation gives the bits of the product followed by the activation. */
  @Test
  default void linearFusesActivationsExactly() {
    for (int[] size : SIZES) {
      for (Activation activation : Activation.values()) {
        Tensor x = bench().in(rows(size[0], size[1]));
        Tensor w = bench().in(matrix(size[1], size[2]));
        Tensor bias = bench().in(vector(size[2]));
        Matrix packed = bench().tested.pack(w);
        Tensor fused =
            bench().tested(outputs(size), (b, out) -> b.linear(x, packed, bias, activation, out));
        Tensor plain =
            bench()
                .tested(
                    outputs(size), (b, out) -> b.linear(x, packed, bias, Activation.IDENTITY, out));
        Tensor separate =
            bench().tested(outputs(size), (b, out) -> b.activate(plain, activation, out));
        bench().check("linear with " + activation).sameBits(separate, fused);
      }
    }
  }

  /** The gradient to the input agrees. */
  @Test
  default void linearBackwardInputAgrees() {
    for (int[] size : SIZES) {
      for (Values kind : new Values[] {Values.ORDINARY, Values.CANCELLING, Values.MIXED}) {
        Values weights = kind == Values.CANCELLING ? Values.EQUAL : Values.ORDINARY;
        Tensor dOut = bench().in(kind, outputs(size));
        Tensor w = bench().in(weights, matrix(size[1], size[2]));
        Shape shape = rows(size[0], size[1]);
        Tensor magnitudes =
            bench()
                .reference(
                    shape, (b, out) -> b.linearBackwardInput(abs(dOut), b.pack(abs(w)), out));
        bench()
            .compare(
                "linearBackwardInput of " + kind,
                shape,
                (b, out) -> b.linearBackwardInput(dOut, b.pack(w), out),
                Tolerance.sums(size[2], magnitudes));
      }
    }
  }

  /** Sums of outer products agree and are added. */
  @Test
  default void addOuterProductsAddsSums() {
    for (int[] size : SIZES) {
      for (Values kind : new Values[] {Values.ORDINARY, Values.CANCELLING, Values.MIXED}) {
        Tensor a = bench().in(kind, rows(size[0], size[1]));
        Tensor c = bench().in(outputs(size));
        Tensor before = bench().in(matrix(size[1], size[2]));
        Tensor magnitudes = abs(before);
        bench().reference.addOuterProducts(abs(a), abs(c), magnitudes);
        bench()
            .compareAdded(
                "addOuterProducts of " + kind,
                before,
                (b, sum) -> b.addOuterProducts(a, c, sum),
                Tolerance.sums(size[0] + 1, magnitudes));
      }
    }
  }

  /** Column sums agree and are added. */
  @Test
  default void addColumnSumsAddsSums() {
    for (int width : RowContract.WIDTHS) {
      for (int R : new int[] {1, 2, 9, 100}) {
        Tensor x = bench().in(Values.CANCELLING, rows(R, width));
        Tensor before = bench().in(vector(width));
        Tensor magnitudes = abs(before);
        bench().reference.addColumnSums(abs(x), magnitudes);
        bench()
            .compareAdded(
                "addColumnSums of " + R + " rows",
                before,
                (b, sum) -> b.addColumnSums(x, sum),
                Tolerance.sums(R + 1, magnitudes));
      }
    }
  }

  /** Products without rows are empty, and sums over no rows add nothing. */
  @Test
  default void productsAcceptNoRows() {
    Tensor x = bench().in(rows(0, 5));
    Tensor w = bench().in(matrix(5, 7));
    Tensor dOut = bench().in(Shape.of(Axis.ROW, 0, Axis.OUT, 7));
    Tensor bias = bench().in(vector(7));
    bench()
        .compareBits(
            "linear",
            dOut.shape(),
            (b, out) -> b.linear(x, b.pack(w), bias, Activation.GELU_NEW, out));
    bench()
        .compareBits(
            "linearBackwardInput",
            x.shape(),
            (b, out) -> b.linearBackwardInput(dOut, b.pack(w), out));
    bench()
        .compareAdded(
            "addOuterProducts",
            w,
            (b, sum) -> b.addOuterProducts(x, dOut, sum),
            Tolerance.within(0, 0));
    bench()
        .compareAdded(
            "addColumnSums", bias, (b, sum) -> b.addColumnSums(dOut, sum), Tolerance.within(0, 0));
  }

  /** NaN and infinities reach exactly the outputs whose sums contain them. */
  @Test
  default void productsPropagateNonFiniteValues() {
    int[] size = {5, 17, 19};
    for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      float[] xs = bench().cases.values(5 * 17, Values.ORDINARY);
      xs[3 * 17 + 16] = value;
      float[] ws = bench().cases.values(17 * 19, Values.ORDINARY);
      ws[16 * 19 + 4] = 0; // 0·∞ is NaN
      ws[2 * 19 + 18] = value;
      Tensor x = bench().in(Tensor.wrap(rows(5, 17), xs));
      Tensor w = bench().in(Tensor.wrap(matrix(17, 19), ws));
      Tensor bias = bench().in(vector(19));
      Tolerance loose = Tolerance.within(1e-4, 1e-4); // the pattern is what is tested
      bench()
          .compare(
              "linear with " + value,
              outputs(size),
              (b, out) -> b.linear(x, b.pack(w), bias, Activation.IDENTITY, out),
              loose);
      Tensor dOut = bench().in(outputs(size));
      bench()
          .compare(
              "linearBackwardInput with " + value,
              x.shape(),
              (b, out) -> b.linearBackwardInput(dOut, b.pack(w), out),
              loose);
      bench()
          .compareAdded(
              "addOuterProducts with " + value,
              bench().in(matrix(17, 19)),
              (b, sum) -> b.addOuterProducts(x, dOut, sum),
              loose);
    }
  }
}
