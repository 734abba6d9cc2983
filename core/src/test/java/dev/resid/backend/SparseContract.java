package dev.resid.backend;

import static dev.resid.backend.ContractBench.abs;
import static dev.resid.backend.ContractBench.matrix;
import static dev.resid.backend.ContractBench.part;
import static dev.resid.backend.ContractBench.rows;
import static dev.resid.backend.ContractBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.Tolerance;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Contract of products of which few entries are kept, and of products of such rows. Long because it
 * is a list.
 */
interface SparseContract {
  /** Rows, in and out; the last ones are cut into tiles and blocks. */
  List<int[]> SIZES =
      List.of(
          new int[] {1, 1, 1},
          new int[] {2, 7, 4},
          new int[] {5, 16, 17},
          new int[] {7, 33, 31},
          new int[] {13, 12, 64},
          new int[] {6, 63, 101},
          new int[] {1, 20, 1031},
          new int[] {2, 300, 513},
          new int[] {197, 3, 521});

  /** Returns the bench of the running test. */
  ContractBench bench();

  /** The product x·w + bias of the tested backend, for the definition of what is kept. */
  private Tensor linear(Tensor x, Matrix w, Tensor bias) {
    Shape shape = Shape.of(Axis.ROW, (int) x.shape().rows(), Axis.OUT, (int) bias.elements());
    return bench().tested(shape, (b, out) -> b.linear(x, w, bias, Activation.IDENTITY, out));
  }

  private void same(String operation, SparseRows expected, SparseRows actual) {
    bench().check(operation).holds(expected.columns() == actual.columns(), "columns differ");
    bench()
        .check(operation + ", starts")
        .sameBits(shape(expected), starts(expected), starts(actual));
    bench()
        .check(operation + ", indices")
        .sameBits(pairs(expected), indices(expected), indices(actual));
    bench()
        .check(operation + ", values")
        .sameBits(pairs(expected), values(expected), values(actual));
  }

  private static Shape shape(SparseRows rows) {
    return vector(rows.rows() + 1);
  }

  private static Shape pairs(SparseRows rows) {
    return vector(rows.count());
  }

  private static double[] starts(SparseRows rows) {
    return Arrays.stream(rows.starts()).asDoubleStream().toArray();
  }

  private static double[] indices(SparseRows rows) {
    return Arrays.stream(rows.indices()).limit(rows.count()).asDoubleStream().toArray();
  }

  private static double[] values(SparseRows rows) {
    double[] values = new double[rows.count()];
    Arrays.setAll(values, i -> rows.values()[i]);
    return values;
  }

  /** Keeps entries of rows by a rule, in order. */
  private static SparseRows keep(Tensor y, Kept rule) {
    int columns = y.shape().last();
    float[] all = y.toArray();
    long[] starts = new long[(int) y.shape().rows() + 1];
    int[] indices = new int[all.length];
    float[] values = new float[all.length];
    int n = 0;
    for (int i = 0; i < all.length; i++) {
      if (rule.keeps(i, all[i])) {
        indices[n] = i % columns;
        values[n++] = all[i];
      }
      starts[i / columns + 1] = n;
    }
    return new SparseRows(columns, starts, Arrays.copyOf(indices, n), Arrays.copyOf(values, n));
  }

  /** Whether the entry at a flat index is kept. */
  interface Kept {
    /** Returns whether it is. */
    boolean keeps(int at, float value);
  }

  /** What exceeds its threshold is kept, with the bits of linear, and nothing else. */
  @Test
  default void linearAboveKeepsWhatExceeds() {
    for (int[] size : SIZES) {
      for (Values kind : new Values[] {Values.MIXED, Values.EQUAL}) {
        Tensor x = bench().in(kind, rows(size[0], size[1]));
        Matrix w = bench().tested.pack(bench().in(matrix(size[1], size[2])));
        Tensor bias = bench().in(vector(size[2]));
        Tensor y = linear(x, w, bias);
        // Every other threshold is a value of the first row, which must not be kept.
        float[] limits = bench().cases.values(size[2], kind);
        for (int j = 0; j < limits.length; j += 2) {
          limits[j] = y.get(0, j);
        }
        Tensor threshold = bench().in(Tensor.wrap(vector(size[2]), limits));
        same(
            "linearAbove of " + kind,
            keep(y, (at, value) -> value > limits[at % size[2]]),
            bench().tested.linearAbove(x, w, bias, threshold));
      }
    }
  }

  /** NaN is kept, an infinite threshold keeps nothing else, and one of NaN nothing but NaN. */
  @Test
  default void linearAboveKeepsNan() {
    float[] xs = bench().cases.values(7 * 19, Values.ORDINARY);
    xs[2 * 19 + 3] = Float.NaN;
    xs[4 * 19] = Float.POSITIVE_INFINITY;
    Tensor x = bench().in(Tensor.wrap(rows(7, 19), xs));
    Matrix w = bench().tested.pack(bench().in(matrix(19, 77)));
    Tensor bias = bench().in(vector(77));
    Tensor y = linear(x, w, bias);
    for (float limit :
        new float[] {0, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, Float.NaN}) {
      Tensor threshold = bench().in(Tensor.zeros(vector(77)).map(zero -> limit));
      same(
          "linearAbove " + limit,
          keep(y, (at, value) -> value > limit || Float.isNaN(value)),
          bench().tested.linearAbove(x, w, bias, threshold));
    }
  }

  /** The k largest are those of a sort by value, then lowest index. */
  @Test
  default void linearTopKIsASort() {
    for (int[] size : SIZES) {
      for (Values kind : new Values[] {Values.MIXED, Values.EQUAL}) {
        Tensor x = bench().in(kind, rows(size[0], size[1]));
        Tensor weights = kind == Values.EQUAL ? blocks(size) : bench().in(matrix(size[1], size[2]));
        Matrix w = bench().tested.pack(weights);
        Tensor bias = bench().in(kind == Values.EQUAL ? kind : Values.ORDINARY, vector(size[2]));
        Tensor scale =
            kind == Values.EQUAL
                ? bench().in(Tensor.zeros(vector(size[2])).map(zero -> 1))
                : bench().positive(0.5, vector(size[2]));
        for (int k : new int[] {0, 1, Math.min(5, size[2]), Math.min(101, size[2])}) {
          sortedAlike("linearTopK of " + kind, x, w, bias, scale, k);
        }
      }
    }
  }

  /** Weights of which many columns are equal, so that values are. */
  private Tensor blocks(int[] size) {
    float[] values = new float[size[1] * size[2]];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % size[2] / 3 % 2;
    }
    return bench().in(Tensor.wrap(matrix(size[1], size[2]), values));
  }

  private void sortedAlike(String operation, Tensor x, Matrix w, Tensor bias, Tensor scale, int k) {
    Tensor plain = linear(x, w, bias);
    int columns = plain.shape().last();
    float[] factors = scale.toArray();
    float[] y = plain.toArray();
    for (int i = 0; i < y.length; i++) {
      y[i] = y[i] * factors[i % columns] + 0f;
    }
    boolean[] kept = new boolean[y.length];
    for (int r = 0; r < x.shape().rows(); r++) {
      int row = r * columns;
      long[] order = new long[columns];
      for (int j = 0; j < columns; j++) {
        order[j] = ascending(-y[row + j] + 0f) << 32 | j;
      }
      Arrays.sort(order);
      for (int i = 0; i < k; i++) {
        kept[row + (int) order[i]] = true;
      }
    }
    same(
        operation + ", k = " + k,
        keep(Tensor.wrap(plain.shape(), y), (at, value) -> kept[at]),
        bench().tested.linearTopK(x, w, bias, scale, k));
  }

  /** Returns a number that is ordered as Float.compare orders values, NaN above everything. */
  private static long ascending(float value) {
    int bits = Float.floatToIntBits(value);
    return bits < 0 ? bits ^ Integer.MAX_VALUE : bits;
  }

  /** NaN comes after every number, −∞ included. */
  @Test
  default void linearTopKTakesNanLast() {
    float[] xs = bench().cases.values(5 * 3, Values.ORDINARY);
    xs[0] = Float.NaN;
    xs[3] = Float.POSITIVE_INFINITY;
    float[] ws = bench().cases.values(3 * 67, Values.ORDINARY);
    for (int j = 0; j < 67; j += 3) {
      ws[j] = 0; // 0·∞ is NaN
    }
    Tensor x = bench().in(Tensor.wrap(rows(5, 3), xs));
    Matrix w = bench().tested.pack(bench().in(Tensor.wrap(matrix(3, 67), ws)));
    Tensor bias = bench().in(vector(67));
    Tensor scale = bench().positive(0.5, vector(67));
    for (int k : new int[] {1, 40, 50, 67}) {
      sortedAlike("linearTopK with NaN", x, w, bias, scale, k);
    }
  }

  /** A sum of few rows of weights agrees, for every number of terms. */
  @Test
  default void sparseLinearAgrees() {
    for (int width : new int[] {1, 7, 16, 33, 768}) {
      for (Values kind : new Values[] {Values.ORDINARY, Values.MIXED, Values.CANCELLING}) {
        SparseRows x = ragged(kind);
        Tensor w = bench().in(matrix(x.columns(), width));
        Tensor bias = bench().in(vector(width));
        Shape shape = rows(x.rows(), width);
        SparseRows absolute =
            new SparseRows(x.columns(), x.starts(), x.indices(), absolute(x.values()));
        Tensor magnitudes =
            bench().reference(shape, (b, out) -> b.sparseLinear(absolute, abs(w), abs(bias), out));
        bench()
            .compare(
                "sparseLinear of " + kind,
                shape,
                (b, out) -> b.sparseLinear(x, w, bias, out),
                Tolerance.sums(x.columns(), magnitudes));
      }
    }
  }

  /** Rows of 0 to 18 pairs. */
  private SparseRows ragged(Values kind) {
    int rows = 19;
    int columns = 41;
    long[] starts = new long[rows + 1];
    Arrays.setAll(starts, r -> (long) r * (r - 1) / 2);
    int[] indices = new int[(int) starts[rows]];
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < r; i++) {
        indices[(int) starts[r] + i] = i * columns / Math.max(1, r) + r % 2;
      }
    }
    return new SparseRows(columns, starts, indices, bench().cases.values(indices.length, kind));
  }

  private static float[] absolute(float[] values) {
    float[] result = values.clone();
    for (int i = 0; i < result.length; i++) {
      result[i] = Math.abs(result[i]);
    }
    return result;
  }

  /** A row of weights that no pair names is not read; one that a pair names propagates. */
  @Test
  default void sparseLinearReadsOnlyWhatIsKept() {
    float[] weights = bench().cases.values(5 * 33, Values.ORDINARY);
    Arrays.fill(weights, 2 * 33, 3 * 33, Float.NaN);
    weights[33 + 7] = Float.POSITIVE_INFINITY;
    Tensor w = bench().in(Tensor.wrap(matrix(5, 33), weights));
    Tensor bias = bench().in(vector(33));
    SparseRows x =
        new SparseRows(
            5,
            new long[] {0, 2, 5, 6, 6},
            new int[] {0, 4, 0, 1, 3, 2},
            new float[] {1, -2, 3, 0.5f, -0f, 4});
    bench()
        .compare(
            "sparseLinear with NaN in w",
            rows(4, 33),
            (b, out) -> b.sparseLinear(x, w, bias, out),
            Tolerance.within(1e-5, 1e-5));
  }

  /** Sparse results of a row do not depend on the other rows. */
  @Test
  default void sparseRowsDoNotDependOnOthers() {
    Backend b = bench().tested;
    for (int[] size : List.of(new int[] {7, 5}, new int[] {64, 601})) {
      int R = 31;
      Tensor x = bench().in(rows(R, size[0]));
      Matrix w = b.pack(bench().in(matrix(size[0], size[1])));
      Tensor bias = bench().in(vector(size[1]));
      Tensor table = bench().in(matrix(size[1], 21));
      Tensor offset = bench().in(vector(21));
      SparseRows above = b.linearAbove(x, w, bias, bias);
      SparseRows top = b.linearTopK(x, w, bias, bias, 3);
      Tensor sums =
          bench().tested(rows(R, 21), (t, out) -> t.sparseLinear(above, table, offset, out));
      for (int n : new int[] {1, 2, 5, 13}) {
        for (int from = 0; from < R; from += n) {
          int to = Math.min(R, from + n);
          Tensor some = bench().in(part(x, from, to));
          SparseRows aboveAlone = b.linearAbove(some, w, bias, bias);
          same("linearAbove of rows alone", some(above, from, to), aboveAlone);
          same(
              "linearTopK of rows alone",
              some(top, from, to),
              b.linearTopK(some, w, bias, bias, 3));
          bench()
              .check("sparseLinear of rows alone")
              .sameBits(
                  part(sums, from, to),
                  bench()
                      .tested(
                          rows(to - from, 21),
                          (t, out) -> t.sparseLinear(aboveAlone, table, offset, out)));
        }
      }
    }
  }

  private static SparseRows some(SparseRows rows, int from, int to) {
    long[] starts = new long[to - from + 1];
    Arrays.setAll(starts, r -> rows.starts()[from + r] - rows.starts()[from]);
    return new SparseRows(
        rows.columns(),
        starts,
        Arrays.copyOfRange(rows.indices(), rows.start(from), rows.end(to - 1)),
        Arrays.copyOfRange(rows.values(), rows.start(from), rows.end(to - 1)));
  }

  /** Without rows there is nothing to keep and nothing to sum. */
  @Test
  default void sparseProductsAcceptNoRows() {
    Backend b = bench().tested;
    Tensor x = bench().in(rows(0, 5));
    Matrix w = b.pack(bench().in(matrix(5, 7)));
    Tensor bias = bench().in(vector(7));
    SparseRows none = new SparseRows(7, new long[] {0}, new int[0], new float[0]);
    same("linearAbove", none, b.linearAbove(x, w, bias, bias));
    same("linearTopK", none, b.linearTopK(x, w, bias, bias, 2));
    Tensor table = bench().in(matrix(7, 3));
    bench()
        .compareBits(
            "sparseLinear",
            rows(0, 3),
            (t, out) -> t.sparseLinear(none, table, table.at(Axis.IN, 0), out));
  }

  /** Operands that do not fit are refused before anything is written. */
  @Test
  default void sparseProductsRefuseWhatDoesNotFit() {
    Backend b = bench().tested;
    Tensor x = bench().in(rows(2, 5));
    Matrix w = b.pack(bench().in(matrix(5, 7)));
    Tensor bias = bench().in(vector(7));
    Tensor other = bench().in(vector(6));
    Tensor wide = bench().in(rows(2, 6));
    refused(() -> b.linearAbove(wide, w, bias, bias));
    refused(() -> b.linearAbove(x, w, other, bias));
    refused(() -> b.linearAbove(x, w, bias, other));
    refused(() -> b.linearTopK(wide, w, bias, bias, 1));
    refused(() -> b.linearTopK(x, w, other, bias, 1));
    refused(() -> b.linearTopK(x, w, bias, other, 1));
    refused(() -> b.linearTopK(x, w, bias, bias, 8));
    refused(() -> b.linearTopK(x, w, bias, bias, -1));
    Tensor table = bench().in(matrix(7, 3));
    Tensor offset = bench().in(vector(3));
    Tensor out = bench().out(rows(2, 3));
    float[] before = out.toArray();
    SparseRows fits = pairsOf(7, 6);
    refused(() -> b.sparseLinear(pairsOf(6, 5), table, offset, out));
    refused(() -> b.sparseLinear(pairsOf(7, 7), table, offset, out));
    refused(() -> b.sparseLinear(pairsOf(7, -1), table, offset, out));
    refused(() -> b.sparseLinear(fits, table, bias, out));
    refused(() -> b.sparseLinear(fits, table, offset, wide));
    assertArrayEquals(before, out.toArray());
    b.sparseLinear(fits, table, offset, out);
  }

  private static SparseRows pairsOf(int columns, int index) {
    return new SparseRows(columns, new long[] {0, 0, 1}, new int[] {index}, new float[] {2});
  }

  private static void refused(org.junit.jupiter.api.function.Executable call) {
    assertThrows(IllegalArgumentException.class, call);
  }
}
