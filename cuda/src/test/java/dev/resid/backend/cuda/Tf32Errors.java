package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Precision;
import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Errors of products by cuBLAS with factors in float32 and rounded to TF32, which has 10 explicit
 * bits of mantissa.
 *
 * @param rows by numbers of terms
 */
record Tf32Errors(List<Row> rows) {
  // Tensor cores leave the bits out; where cuBLAS does not round before, each factor is off by up
  // to
  // 2⁻¹⁰ of itself, so that a product is by 2⁻⁹ and what is left of their errors' product; the sum
  // over terms adds what float32 has.
  private static final double MOST = 0x1p-9 + 0x1p-20;

  /**
   * Largest errors of a product's elements, as parts of the sum of |a·b|.
   *
   * @param terms of each sum
   * @param fp32 with factors as they are
   * @param tf32 with rounded factors
   */
  record Row(int terms, double fp32, double tf32) {}

  /** Multiplies {@code [rows, terms]} by {@code [terms, columns]} in both precisions. */
  static Tf32Errors measure(int rows, int columns, int... terms) {
    Cases cases = Cases.ofThisRun();
    List<Row> found = new ArrayList<>();
    for (int n : terms) {
      Tensor x = cases.tensor(Shape.of(Axis.ROW, rows, Axis.IN, n), Cases.Values.ORDINARY);
      Tensor w = cases.tensor(Shape.of(Axis.IN, n, Axis.OUT, columns), Cases.Values.ORDINARY);
      found.add(new Row(n, error(Precision.FP32, x, w), error(Precision.TF32, x, w)));
    }
    return new Tf32Errors(found);
  }

  private static double error(Precision precision, Tensor x, Tensor w) {
    Shape shape = Shape.of(Axis.ROW, x.shape().size(Axis.ROW), Axis.OUT, w.shape().last());
    try (Backend cuda = ProductsTest.open("foreign", precision);
        Backend scalar = new ScalarBackend()) {
      float[] actual = product(cuda, x, w, shape);
      float[] expected = product(scalar, x, w, shape);
      float[] magnitudes = product(scalar, x.map(Math::abs), w.map(Math::abs), shape);
      double largest = 0;
      for (int i = 0; i < actual.length; i++) {
        largest = Math.max(largest, Math.abs(actual[i] - expected[i]) / magnitudes[i]);
      }
      return largest;
    }
  }

  private static float[] product(Backend backend, Tensor x, Tensor w, Shape shape) {
    Tensor out = backend.allocate(shape);
    Matrix matrix = backend.pack(w);
    backend.linear(
        x, matrix, Tensor.zeros(Shape.of(Axis.OUT, shape.last())), Activation.IDENTITY, out);
    return out.toArray();
  }

  /** Requires errors of the sizes that the two formats have, and not those of each other. */
  Tf32Errors requireAsExpected() {
    for (Row row : rows) {
      assertTrue(row.fp32 < row.terms * 0x1p-24, () -> "fp32 has larger errors:\n" + table());
      assertTrue(row.tf32 < MOST + row.terms * 0x1p-24, () -> "tf32 has larger ones:\n" + table());
      assertTrue(row.tf32 > 4 * row.fp32, () -> "tf32 was not used:\n" + table());
    }
    return this;
  }

  /** Returns the table as text, a head and a line a number of terms. */
  String table() {
    return rows.stream()
        .map(row -> String.format(Locale.ROOT, "%d, %.2e, %.2e%n", row.terms, row.fp32, row.tf32))
        .collect(
            Collectors.joining("", "terms, fp32 error, tf32 error (of the sum of |a·b|)\n", ""));
  }
}
