package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.BackendUnavailableException;
import dev.resid.backend.Backends;
import dev.resid.backend.Precision;
import dev.resid.backend.cuda.Tf32Errors.Row;
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
import org.opentest4j.AssertionFailedError;

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

  /** The stand-in rounds as tensor cores do, so that this is what a GPU's table is held against. */
  @Test
  void theTableOfTf32ErrorsShowsTheRounding() {
    Tf32Errors errors = Tf32Errors.measure(8, 16, 64, 768).requireAsExpected();
    assertTrue(
        errors.table().matches("terms, fp32 error.*\n64, .*e-0[6-8], .*e-04\n768, .*\n"),
        errors::table);
    AssertionFailedError e =
        assertThrows(
            AssertionFailedError.class,
            () -> new Tf32Errors(List.of(new Row(64, 1e-7, 1e-7))).requireAsExpected());
    assertTrue(e.getMessage().startsWith("tf32 was not used:"), e.getMessage());
  }

  @Test
  void aCublasThatIsMissingIsASentence() {
    System.setProperty(BlasLibraries.PROPERTY, "/nowhere/libcublas.so.13");
    try {
      BackendUnavailableException e =
          assertThrows(
              BackendUnavailableException.class, () -> open("foreign", Precision.FP32).close());
      assertEquals(
          "cuda: nothing here multiplies matrices in fp32. Tried: /nowhere/libcublas.so.13: not"
              + " found. Install cuBLAS 11 or newer, or point RESID_CUDA_CUBLAS to its file.",
          e.getMessage());
      assertTrue(
          Backends.steps().get("cuda").contains("/nowhere/libcublas.so.13: not found"),
          "resid doctor shows it");
    } finally {
      System.clearProperty(BlasLibraries.PROPERTY);
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
