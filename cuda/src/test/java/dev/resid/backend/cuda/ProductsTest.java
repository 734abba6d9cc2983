package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.BackendUnavailableException;
import dev.resid.backend.Precision;
import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ways to multiply matrices, on the emulated GPU with stand-ins for cuBLAS. */
class ProductsTest {
  private EmulatedGpu gpu;

  @BeforeEach
  void loadEmulation() {
    gpu = EmulatedGpu.require();
    gpu.repair();
  }

  static Backend open(String products, Precision precision) {
    System.setProperty(BlasChoice.PROPERTY, products);
    try {
      return new CudaBackendProvider().open(BackendOptions.defaults().withPrecision(precision));
    } finally {
      System.clearProperty(BlasChoice.PROPERTY);
    }
  }

  /** Rows, columns and steps all differ, and exceed a tile of the kernel's. */
  @ParameterizedTest
  @ValueSource(strings = {"jcuda", "foreign", "kernels"})
  void everyProductAgreesWithTheReference(String products) {
    Cases cases = Cases.ofThisRun();
    try (Backend cuda = open(products, Precision.FP32);
        Backend scalar = new ScalarBackend()) {
      for (int[] n : List.of(new int[] {3, 7, 5}, new int[] {67, 33, 71}, new int[] {1, 130, 65})) {
        Tensor x = cases.tensor(rows(n[0], n[1]), Cases.Values.ORDINARY);
        Tensor w = cases.tensor(rows(n[1], n[2]), Cases.Values.ORDINARY);
        Tensor dOut = cases.tensor(rows(n[0], n[2]), Cases.Values.ORDINARY);
        Tensor bias = cases.tensor(Shape.of(Axis.OUT, n[2]), Cases.Values.ORDINARY);
        TensorAssert check = new TensorAssert("cuda", "products by " + products, cases.seed());
        // Sums of at most 130 terms of normal size.
        Tolerance bound = Tolerance.within(130 * Tolerance.U * 130, 0);
        check.close(all(scalar, x, w, dOut, bias), all(cuda, x, w, dOut, bias), bound);
      }
    }
  }

  private static Shape rows(int rows, int columns) {
    return Shape.of(Axis.ROW, rows, Axis.OUT, columns);
  }

  /** Returns the three products, one after the other. */
  private static Tensor all(Backend b, Tensor x, Tensor w, Tensor dOut, Tensor bias) {
    Matrix matrix = b.pack(w);
    Tensor out = b.allocate(dOut.shape());
    b.linear(x, matrix, bias, Activation.IDENTITY, out);
    Tensor dX = b.allocate(x.shape());
    b.linearBackwardInput(dOut, matrix, dX);
    Tensor sum = b.allocate(w.shape());
    b.copy(w, sum);
    b.addOuterProducts(x, dOut, sum);
    float[] values = new float[(int) (out.elements() + dX.elements() + sum.elements())];
    int at = 0;
    for (Tensor part : List.of(out, dX, sum)) {
      System.arraycopy(part.toArray(), 0, values, at, (int) part.elements());
      at += (int) part.elements();
    }
    return Tensor.wrap(Shape.of(Axis.ROW, values.length), values);
  }

  @Test
  void tensorCoresRoundFactorsOnlyWhenAskedTo() {
    for (Precision precision : Precision.values()) {
      try (Backend cuda = open("foreign", precision)) {
        long before = gpu.products();
        Tensor x = Tensor.zeros(rows(2, 3));
        cuda.addOuterProducts(x, x, cuda.allocate(rows(3, 3)));
        assertEquals(before + 1, gpu.products());
        assertEquals(precision == Precision.TF32 ? 3 : 0, gpu.mathMode());
        assertTrue(
            cuda.description().contains(precision == Precision.TF32 ? "tf32" : "fp32"),
            cuda.description());
      }
    }
  }

  @Test
  void ownKernelsRefuseTf32() {
    BackendUnavailableException e =
        assertThrows(
            BackendUnavailableException.class, () -> open("kernels", Precision.TF32).close());
    assertTrue(e.getMessage().contains("own kernels: they multiply in fp32 only"), e.getMessage());
  }

  @Test
  void descriptionsNameWhatMultiplies() {
    for (String[] expected :
        List.of(
            new String[] {"jcuda", "cuBLAS 12.1.0 through JCuda"},
            new String[] {"foreign", "cuBLAS 13.1.0 (libcublas.so.13)"},
            new String[] {"kernels", "products by own kernels"})) {
      try (Backend cuda = open(expected[0], Precision.FP32)) {
        assertTrue(cuda.description().contains(expected[1]), cuda.description());
      }
    }
  }

  @Test
  void anUnknownWayToMultiplyIsRefused() {
    BackendUnavailableException e =
        assertThrows(BackendUnavailableException.class, () -> open("rocm", Precision.FP32).close());
    assertTrue(e.getMessage().contains("expected jcuda, foreign or kernels"), e.getMessage());
  }

  @Test
  void versionsOfCublasAreReadable() {
    assertEquals("13.1.0", ForeignBlas.version(130100));
    assertEquals("12.6.4", ForeignBlas.version(120604));
    assertEquals("11.4.2", ForeignBlas.version(11402));
  }
}
