package dev.resid.backend;

import static dev.resid.backend.ContractBench.matrix;
import static dev.resid.backend.ContractBench.part;
import static dev.resid.backend.ContractBench.perRow;
import static dev.resid.backend.ContractBench.rows;
import static dev.resid.backend.ContractBench.vector;

import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases.Values;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/**
 * The promises every CPU backend keeps bit for bit: results depend on the operands of their formula
 * only, never on company, threads, repetition or place.
 */
interface BitwiseContract {
  /** Returns the bench of the running test. */
  ContractBench bench();

  /** The number of threads changes no bit of any kernel. */
  @Test
  default void threadsDoNotChangeBits() {
    KernelProgramme programme = new KernelProgramme();
    Map<String, double[]> expected;
    try (Backend one = bench().open(1)) {
      expected = programme.run(one);
    }
    for (int threads : new int[] {2, 3, 5}) {
      try (Backend several = bench().open(threads)) {
        sameResults("with " + threads + " threads", expected, programme.run(several));
      }
    }
  }

  /** Calling again changes no bit of any kernel. */
  @Test
  default void repetitionDoesNotChangeBits() {
    KernelProgramme programme = new KernelProgramme();
    Map<String, double[]> first = programme.run(bench().tested);
    sameResults("called again", first, programme.run(bench().tested));
  }

  private void sameResults(
      String how, Map<String, double[]> expected, Map<String, double[]> actual) {
    expected.forEach(
        (kernel, values) ->
            bench()
                .check(kernel + " " + how)
                .sameBits(vector(values.length), values, actual.get(kernel)));
  }

  /** The rows of a batch have the bits they have alone, and in parts of any size. */
  private void sameInParts(String operation, Tensor x, BiFunction<Tensor, Integer, Tensor> call) {
    int R = (int) x.shape().rows();
    Tensor all = call.apply(x, 0);
    for (int size : new int[] {1, 2, 3, 5, 8, 13}) {
      for (int from = 0; from < R; from += size) {
        int to = Math.min(R, from + size);
        Tensor some = call.apply(bench().in(part(x, from, to)), from);
        bench()
            .check(operation + " of rows " + from + " to " + to + " alone")
            .sameBits(part(all, from, to), some);
      }
    }
  }

  /** Rows of a product do not depend on the other rows, for every size and activation. */
  @Test
  default void linearRowsDoNotDependOnOthers() {
    for (int[] size : List.of(new int[] {7, 5}, new int[] {17, 33}, new int[] {64, 101})) {
      Tensor x = bench().in(rows(19, size[0]));
      Matrix w = bench().tested.pack(bench().in(matrix(size[0], size[1])));
      Tensor bias = bench().in(vector(size[1]));
      for (Activation f : List.of(Activation.IDENTITY, Activation.GELU_NEW)) {
        sameInParts(
            "linear " + f,
            x,
            (part, from) ->
                bench()
                    .tested(
                        rows((int) part.shape().rows(), size[1]),
                        (b, out) -> b.linear(part, w, bias, f, out)));
      }
      Tensor dOut = bench().in(rows(19, size[1]));
      sameInParts(
          "linearBackwardInput",
          dOut,
          (part, from) ->
              bench()
                  .tested(
                      rows((int) part.shape().rows(), size[0]),
                      (b, out) -> b.linearBackwardInput(part, w, out)));
    }
  }

  /** Rows of the row kernels do not depend on the other rows. */
  @Test
  default void normalisedRowsDoNotDependOnOthers() {
    for (int width : new int[] {5, 33, 768}) {
      Tensor x = bench().in(rows(13, width));
      Tensor scale = bench().positive(0.5, perRow(13));
      Tensor gamma = bench().in(vector(width));
      rowsAlone("layerNormScale", x, 1, (b, p, f, o) -> b.layerNormScale(p, 1e-5, o));
      rowsAlone(
          "layerNormApply",
          x,
          width,
          (b, p, from, o) -> b.layerNormApply(p, rowsOf(scale, from, p), gamma, gamma, o));
      rowsAlone(
          "layerNormApplyBackwardInput",
          x,
          width,
          (b, p, from, o) -> b.layerNormApplyBackwardInput(p, rowsOf(scale, from, p), gamma, o));
      rowsAlone("softmax", x, width, (b, p, from, o) -> b.softmax(p, o));
      rowsAlone(
          "softmaxBackward",
          x,
          width,
          (b, p, from, o) -> b.softmaxBackward(p, b.allocate(p.shape()), o));
    }
    Tensor x = bench().in(rows(13, 33));
    for (Activation f : Activation.values()) {
      rowsAlone("activate " + f, x, 33, (b, p, from, o) -> b.activate(p, f, o));
      rowsAlone("activateBackward " + f, x, 33, (b, p, from, o) -> b.activateBackward(p, p, f, o));
    }
  }

  private static Tensor rowsOf(Tensor tensor, int from, Tensor part) {
    return part(tensor, from, from + (int) part.shape().rows());
  }

  /** A row kernel on the part of its input that begins at a row. */
  interface OnPart {
    /** Runs it. */
    void run(Backend backend, Tensor part, int from, Tensor out);
  }

  private void rowsAlone(String operation, Tensor x, int columns, OnPart kernel) {
    sameInParts(
        operation,
        x,
        (part, from) -> {
          int R = (int) part.shape().rows();
          Shape shape = columns == 1 ? perRow(R) : rows(R, columns);
          return bench().tested(shape, (b, out) -> kernel.run(b, part, from, out));
        });
  }

  /** The numbers of a row do not depend on the other rows of a reduction. */
  @Test
  default void reducedRowsDoNotDependOnOthers() {
    for (int[] size : List.of(new int[] {5, 7}, new int[] {17, 257}, new int[] {24, 1031})) {
      Tensor x = bench().in(rows(19, size[0]));
      Tensor y = bench().in(rows(19, size[0]));
      Matrix w = bench().tested.pack(bench().in(matrix(size[0], size[1])));
      Tensor bias = bench().in(vector(size[1]));
      int[] labels = bench().cases.indices(19, size[0]);
      Backend b = bench().tested;
      numbersAlone("unembedLogSumExp", x, (part, from) -> b.unembedLogSumExp(part, w, bias));
      numbersAlone(
          "unembedCrossEntropy",
          x,
          (part, from) -> b.unembedCrossEntropy(part, w, bias, labelsOf(labels, from, part)));
      numbersAlone(
          "unembedKl", x, (part, from) -> b.unembedKl(part, rowsOf(y, from, part), w, bias));
      numbersAlone(
          "crossEntropy", x, (part, from) -> b.crossEntropy(part, labelsOf(labels, from, part)));
      numbersAlone("l2Distance", x, (part, from) -> b.l2Distance(part, rowsOf(y, from, part)));
    }
  }

  private static int[] labelsOf(int[] labels, int from, Tensor part) {
    return Arrays.copyOfRange(labels, from, from + (int) part.shape().rows());
  }

  private void numbersAlone(
      String operation, Tensor x, BiFunction<Tensor, Integer, double[]> call) {
    double[] all = call.apply(x, 0);
    for (int size : new int[] {1, 2, 3, 5, 8, 13}) {
      for (int from = 0; from < all.length; from += size) {
        int to = Math.min(all.length, from + size);
        double[] some = call.apply(bench().in(part(x, from, to)), from);
        bench()
            .check(operation + " of rows " + from + " to " + to + " alone")
            .sameBits(vector(to - from), Arrays.copyOfRange(all, from, to), some);
      }
    }
  }

  /** A kernel that may write over its input gives the same bits when it does. */
  @Test
  default void resultsInPlaceHaveTheSameBits() {
    for (int width : new int[] {1, 7, 16, 33, 768}) {
      Tensor x = bench().in(Values.MIXED, rows(3, width));
      Tensor y = bench().in(rows(3, width));
      Tensor p = bench().in(bench().reference(x.shape(), (b, out) -> b.softmax(x, out)));
      Tensor scale = bench().positive(0.5, perRow(3));
      Tensor gamma = bench().in(vector(width));
      int[] labels = {0, -1, width - 1};
      Backend b = bench().tested;
      inPlace("layerNormApply", x, (in, out) -> b.layerNormApply(in, scale, gamma, gamma, out));
      inPlace(
          "layerNormApplyBackwardInput",
          x,
          (in, out) -> b.layerNormApplyBackwardInput(in, scale, gamma, out));
      inPlace("softmax", x, b::softmax);
      inPlace("softmaxBackward", x, (in, out) -> b.softmaxBackward(in, p, out));
      for (Activation f : Activation.values()) {
        inPlace("activate " + f, x, (in, out) -> b.activate(in, f, out));
        inPlace("activateBackward " + f, x, (in, out) -> b.activateBackward(in, y, f, out));
      }
      inPlace("add to the left", x, (in, out) -> b.add(in, y, out));
      inPlace("add to the right", x, (in, out) -> b.add(y, in, out));
      inPlace("add to itself", x, (in, out) -> b.add(in, in, out));
      inPlace("addScaled to the left", x, (in, out) -> b.addScaled(in, 0.3, y, out));
      inPlace("addScaled to the right", x, (in, out) -> b.addScaled(y, 0.3, in, out));
      inPlace("crossEntropyBackward", x, (in, out) -> b.crossEntropyBackward(in, labels, 0.5, out));
    }
  }

  private void inPlace(String operation, Tensor x, BiConsumer<Tensor, Tensor> kernel) {
    Tensor apart = bench().out(x.shape());
    kernel.accept(x, apart);
    Tensor place = bench().accumulator(x);
    kernel.accept(place, place);
    bench().check(operation + " in place").sameBits(apart, place);
  }

  /** Leading axes are rows, however they are named. */
  @Test
  default void leadingAxesAreRows() {
    Tensor x = bench().in(rows(6, 9));
    Tensor deep = x.reshape(Shape.of(Axis.BATCH, 2, Axis.POS, 3, Axis.D_MODEL, 9));
    Matrix w = bench().tested.pack(bench().in(matrix(9, 5)));
    Tensor bias = bench().in(vector(5));
    Shape shape = Shape.of(Axis.BATCH, 2, Axis.POS, 3, Axis.D_MLP, 5);
    Tensor expected =
        bench().tested(rows(6, 5), (b, out) -> b.linear(x, w, bias, Activation.TANH, out));
    Tensor actual =
        bench().tested(shape, (b, out) -> b.linear(deep, w, bias, Activation.TANH, out));
    bench().check("linear of [batch, pos]").sameBits(expected, actual.reshape(rows(6, 5)));
    bench()
        .check("unembedLogSumExp of [batch, pos]")
        .sameBits(
            vector(6),
            bench().tested.unembedLogSumExp(x, w, bias),
            bench().tested.unembedLogSumExp(deep, w, bias));
  }
}
