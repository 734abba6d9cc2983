package dev.resid.backend;

import static dev.resid.backend.ContractBench.matrix;
import static dev.resid.backend.ContractBench.perRow;
import static dev.resid.backend.ContractBench.rows;
import static dev.resid.backend.ContractBench.vector;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.tensor.Activation;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Dim;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Storage;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases.Values;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Contract of everything around the kernels: memory, weights, refusals. */
interface HousekeepingContract {
  /** Returns the bench of the running test. */
  ContractBench bench();

  /** Name and description say something. */
  @Test
  default void theBackendDescribesItself() {
    bench()
        .check("name and description")
        .holds(
            !bench().tested.name().isBlank() && !bench().tested.description().isBlank(), "blank");
  }

  /** Allocated tensors are zeros of their own. */
  @Test
  default void allocatedTensorsAreZeros() {
    for (Shape shape : List.of(rows(3, 7), rows(0, 5), vector(1), Shape.of())) {
      Tensor first = bench().tested.allocate(shape);
      bench().check("allocate").sameBits(Tensor.zeros(shape), first);
      if (shape.elements() > 0) {
        Tensor second = bench().tested.allocate(shape);
        bench().tested.copy(bench().in(shape), first);
        bench().check("a second allocate").sameBits(Tensor.zeros(shape), second);
      }
    }
  }

  /** A copy has the same bits under another shape, and only as many. */
  @Test
  default void copyKeepsBits() {
    for (int width : RowContract.WIDTHS) {
      Tensor from = bench().in(Values.MIXED, rows(3, width));
      bench().compareBits("copy", vector(3 * width), (b, out) -> b.copy(from, out));
      Tensor stored = Tensor.on(from.shape(), new Stored(from.toArray()));
      bench().compareBits("copy of a file", from.shape(), (b, out) -> b.copy(stored, out));
    }
  }

  /** Ranges of every axis are copied, and nothing beside them is touched. */
  @Test
  default void rangesAreCopiedAlongEveryAxis() {
    Shape shape = Shape.of(Axis.BATCH, 2, Axis.POS, 5, Axis.HEAD, 3, Axis.D_HEAD, 7);
    for (Dim dim : shape.dims()) {
      Axis axis = dim.axis();
      for (int from = 0; from < dim.size(); from++) {
        int first = from;
        Tensor whole = bench().in(shape);
        Tensor part = bench().in(shape.with(axis, dim.size() - first));
        Tensor expected = whole;
        for (int i = first; i < dim.size(); i++) {
          expected = expected.with(axis, i, part.at(axis, i - first));
        }
        Tensor inserted = bench().accumulator(whole);
        bench().tested.insert(part, axis, first, inserted);
        bench().check("insert at " + axis + " " + first).sameBits(expected, inserted);
        bench()
            .check("extract at " + axis + " " + first)
            .sameBits(
                whole.slice(axis, first, dim.size()),
                bench().tested(part.shape(), (b, out) -> b.extract(whole, axis, first, out)));
        assertThrows(
            IllegalArgumentException.class,
            () -> bench().tested.insert(part, axis, first + 1, inserted));
      }
    }
  }

  /** A packed matrix gives back its shape and bits, whichever way it was packed. */
  @Test
  default void packedMatricesKeepBits() {
    for (int[] size : ProductContract.SIZES) {
      Tensor w = bench().in(Values.MIXED, matrix(size[1], size[2]));
      Tensor transposed = bench().in(ProductContract.transpose(w));
      Matrix packed = bench().tested.pack(w);
      Matrix fromTransposed = bench().tested.packTransposed(transposed);
      bench().check("pack").sameBits(w, packed.toTensor());
      bench().check("packTransposed").sameBits(w, fromTransposed.toTensor());
      bench()
          .check("shape and bytes of a matrix")
          .holds(
              packed.shape().equals(w.shape())
                  && fromTransposed.shape().equals(w.shape())
                  && packed.bytes() >= 4 * w.elements(),
              packed.shape() + " in " + packed.bytes() + " bytes");
    }
  }

  /** What is cleared is 0, whatever it was: the difference of a NaN and itself would stay one. */
  @Test
  default void clearingLeavesZeros() {
    for (int length : new int[] {1, 17, 64, 1001}) {
      float[] values = new float[length];
      Arrays.fill(values, Float.NaN);
      values[0] = Float.NEGATIVE_INFINITY;
      Tensor target = bench().tested.allocate(Shape.of(Axis.D_MODEL, length));
      bench().tested.copy(Tensor.of(target.shape(), values), target);
      bench().tested.clear(target);
      bench().check("clear").sameBits(Tensor.zeros(target.shape()), target);
    }
  }

  /** A matrix that is packed anew has only the new values. */
  @Test
  default void repackingOverwrites() {
    for (int[] size : ProductContract.SIZES) {
      Tensor before = bench().in(matrix(size[1], size[2]));
      Tensor after = bench().in(Values.MIXED, matrix(size[1], size[2]));
      Matrix packed = bench().tested.pack(before);
      bench().tested.repack(after, packed);
      bench().check("repack").sameBits(after, packed.toTensor());
      Tensor transposed = bench().in(ProductContract.transpose(before));
      Matrix fromTransposed = bench().tested.packTransposed(transposed);
      bench().check("packTransposed").sameBits(before, fromTransposed.toTensor());
      Tensor afterTransposed = bench().in(ProductContract.transpose(after));
      bench().tested.repackTransposed(afterTransposed, fromTransposed);
      bench().check("repackTransposed").sameBits(after, fromTransposed.toTensor());
    }
  }

  /** Weights that lie in a file are packed from it, reading each value once and in order. */
  @Test
  default void weightsArePackedFromFilesReadOnceInOrder() {
    for (int[] size : List.of(new int[] {7, 33}, new int[] {64, 257}, new int[] {257, 64})) {
      Tensor w = bench().in(Values.MIXED, matrix(size[0], size[1]));
      Tensor transposed = ProductContract.transpose(w);
      Stored file = new Stored(w.toArray());
      Stored fileTransposed = new Stored(transposed.toArray());
      Matrix packed = bench().tested.pack(Tensor.on(w.shape(), file));
      Matrix fromTransposed =
          bench().tested.packTransposed(Tensor.on(transposed.shape(), fileTransposed));
      bench().check("pack of a file").sameBits(w, packed.toTensor());
      bench().check("packTransposed of a file").sameBits(w, fromTransposed.toTensor());
      bench().check("pack of a file").holds(file.readOnceInOrder(), "read twice or out of order");
      bench()
          .check("packTransposed of a file")
          .holds(fileTransposed.readOnceInOrder(), "read twice or out of order");
      bench().tested.repack(Tensor.on(w.shape(), new Stored(w.toArray())), fromTransposed);
      bench().check("repack of a file").sameBits(w, fromTransposed.toTensor());
    }
  }

  /** Values that are not in a Java array; remembers how it was read. */
  final class Stored implements Storage {
    private final float[] values;
    private final List<long[]> reads = new ArrayList<>();

    Stored(float[] values) {
      this.values = values;
    }

    @Override
    public long size() {
      return values.length;
    }

    @Override
    public void read(long offset, float[] target, int targetOffset, int length) {
      reads.add(new long[] {offset, length});
      System.arraycopy(values, Math.toIntExact(offset), target, targetOffset, length);
    }

    boolean readOnceInOrder() {
      long next = 0;
      for (long[] read : reads) {
        if (read[0] != next) {
          return false;
        }
        next += read[1];
      }
      return next == values.length;
    }
  }

  /** Temporaries do not overlap while they are in use, whatever was given back before. */
  @Test
  default void scopeTensorsDoNotOverlap() {
    try (Scope scope = bench().tested.scope()) {
      Tensor large = scope.take(rows(9, 33));
      bench().tested.copy(bench().in(rows(9, 33)), large);
      scope.give(large);
      List<Tensor> inputs = new ArrayList<>();
      List<Tensor> taken = new ArrayList<>();
      for (int i = 1; i <= 5; i++) {
        Tensor input = bench().in(rows(i, 31));
        Tensor temporary = scope.take(input.shape());
        bench().tested.copy(input, temporary);
        inputs.add(input);
        taken.add(temporary);
      }
      for (int i = 0; i < taken.size(); i++) {
        bench().check("temporary " + i).sameBits(inputs.get(i), taken.get(i));
      }
      scope.give(bench().in(rows(1, 3)));
    }
  }

  /** A kernel gives the same bits on temporaries, whose memory may be longer and used before. */
  @Test
  default void kernelsGiveTheSameBitsOnTemporaries() {
    try (Scope scope = bench().tested.scope()) {
      for (int[] size : List.of(new int[] {9, 33}, new int[] {5, 17}, new int[] {1, 3})) {
        Tensor x = bench().in(rows(size[0], size[1]));
        Tensor gamma = bench().in(vector(size[1]));
        Tensor scale = scope.take(perRow(size[0]));
        Tensor input = scope.take(x.shape());
        Tensor normalized = scope.take(x.shape());
        bench().tested.copy(x, input);
        bench().tested.layerNormScale(input, 1e-5, scale);
        bench().tested.layerNormApply(input, scale, gamma, gamma, normalized);
        Tensor scaleOut = bench().tested(perRow(size[0]), (b, o) -> b.layerNormScale(x, 1e-5, o));
        Tensor expected =
            bench().tested(x.shape(), (b, o) -> b.layerNormApply(x, scaleOut, gamma, gamma, o));
        bench().check("layer norm on temporaries").sameBits(expected, normalized);
        scope.give(input);
        scope.give(normalized);
        scope.give(scale);
      }
    }
  }

  /** A closed scope hands out nothing. */
  @Test
  default void closedScopesHandOutNothing() {
    Scope scope = bench().tested.scope();
    scope.close();
    assertThrows(IllegalStateException.class, () -> scope.take(rows(1, 3)));
  }

  /** Operands of the wrong size are refused before anything is written. */
  @Test
  default void wrongShapesAreRefused() {
    Backend b = bench().tested;
    Tensor x = bench().in(rows(3, 8));
    Tensor wide = bench().in(rows(3, 9));
    Tensor tall = bench().in(rows(4, 8));
    Tensor scale = bench().in(perRow(3));
    Tensor eight = bench().in(vector(8));
    Tensor nine = bench().in(vector(9));
    Tensor out = bench().out(rows(3, 8));
    Tensor nineOut = bench().out(vector(9));
    Matrix w = b.pack(bench().in(matrix(8, 9)));
    Tensor square = bench().in(matrix(9, 9));
    Tensor queries = bench().in(new AttentionContract.Sizes(1, 3, 3, 2, 4, 0).queries());
    Tensor wrongKeys = bench().in(new AttentionContract.Sizes(1, 3, 3, 2, 5, 0).queries());
    Tensor z = bench().out(queries.shape());
    AttentionSpec spec = new AttentionSpec(0.5, 0);
    Tensor product = bench().out(Shape.of(Axis.ROW, 3, Axis.OUT, 9));
    refuses(
        () -> b.copy(x, nineOut),
        () -> b.pack(eight),
        () -> b.repack(square, w),
        () -> b.repackTransposed(square, w),
        () -> b.gatherRows(wide, new int[] {0, 1, 2}, out),
        () -> b.gatherRows(x, new int[] {0, 1}, out),
        () -> b.gatherRows(x, new int[] {0, 1, 3}, out),
        () -> b.gatherRows(x, new int[] {0, -1, 2}, out),
        () -> b.gatherColumns(w, new int[] {0, 9, 2}, out),
        () -> b.scatterAddRows(wide, new int[] {0, 1, 2}, out),
        () -> b.layerNormScale(tall, 1e-5, bench().out(perRow(3))),
        () -> b.layerNormApply(x, scale, nine, eight, out),
        () -> b.layerNormApply(x, scale, eight, nine, out),
        () -> b.layerNormApply(wide, scale, eight, eight, out),
        () -> b.linear(wide, w, nine, Activation.IDENTITY, product),
        () -> b.linear(x, w, eight, Activation.IDENTITY, product),
        () -> b.linear(x, w, nine, Activation.IDENTITY, out),
        () -> b.linearBackwardInput(x, w, out),
        () -> b.addOuterProducts(x, tall, bench().out(matrix(8, 8))),
        () -> b.addOuterProducts(x, wide, bench().out(matrix(8, 8))),
        () -> b.addColumnSums(x, nineOut),
        () -> b.attention(queries, wrongKeys, queries, spec, z),
        () -> b.attention(queries, queries, wrongKeys, spec, z),
        () -> b.attentionScores(queries, queries, spec, z),
        () -> b.softmax(wide, out),
        () -> b.activate(wide, Activation.RELU, out),
        () -> b.add(x, wide, out),
        () -> b.addScaled(tall, 1, x, out),
        () -> b.crossEntropy(x, new int[] {0, 1}),
        () -> b.crossEntropy(x, new int[] {0, 8, 1}),
        () -> b.crossEntropy(x, new int[] {0, -2, 1}),
        () -> b.unembedCrossEntropy(x, w, nine, new int[] {0, 1, 9}),
        () -> b.unembedLogSumExp(wide, w, nine),
        () -> b.unembedKl(x, tall, w, nine),
        () -> b.unembedKl(x, x, w, eight),
        () -> b.l2Distance(x, tall),
        () -> b.topK(x, 9),
        () -> b.topK(x, -1));
  }

  private void refuses(Executable... calls) {
    for (int i = 0; i < calls.length; i++) {
      assertThrows(
          IllegalArgumentException.class, calls[i], "wrong call " + i + " was not refused");
    }
  }

  /** A matrix of another backend is refused. */
  @Test
  default void matricesOfOtherBackendsAreRefused() {
    Tensor x = bench().in(rows(2, 3));
    Tensor bias = bench().in(vector(5));
    Tensor out = bench().out(Shape.of(Axis.ROW, 2, Axis.OUT, 5));
    Matrix foreign =
        new Matrix() {
          @Override
          public Shape shape() {
            return matrix(3, 5);
          }

          @Override
          public Tensor toTensor() {
            return Tensor.zeros(shape());
          }

          @Override
          public long bytes() {
            return 60;
          }
        };
    assertThrows(
        IllegalArgumentException.class,
        () -> bench().tested.linear(x, foreign, bias, Activation.IDENTITY, out));
  }
}
