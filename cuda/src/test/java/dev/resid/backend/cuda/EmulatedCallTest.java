package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.BackendUnavailableException;
import dev.resid.backend.Backends;
import dev.resid.backend.Precision;
import dev.resid.backend.cuda.ProductOps.Rows;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases;
import dev.resid.testing.TensorAssert;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What happens between a call of the backend and the GPU: operands, memory that is used again,
 * copies that are under way, threads and contexts, sizes of grids. On the emulated GPU, whose
 * streams work as late as they may.
 */
class EmulatedCallTest {
  private static final int JIT_COMPILER_NOT_FOUND = 221;
  private static final long SUMS = 150 * 70;

  private EmulatedGpu gpu;

  @BeforeEach
  void loadEmulation() {
    gpu = EmulatedGpu.require();
    gpu.repair();
  }

  @AfterEach
  void repair() {
    System.clearProperty(Nvrtc.PROPERTY);
    gpu.repair();
  }

  private static CudaBackend open() {
    return (CudaBackend) ProductsTest.open("kernels", Precision.FP32);
  }

  private static Shape rows(int rows, int columns) {
    return Shape.of(Axis.ROW, rows, Axis.D_MODEL, columns);
  }

  /** The driver sees addresses only: nothing else keeps an operand from the collector. */
  @Test
  void operandsAreNotCollectedBeforeTheirCallEnds() throws InterruptedException {
    Device device = new Device(0);
    try {
      Call call = new Call(device);
      long address = addressOfATensorThatIsForgotten(call, device);
      for (int i = 0; i < 5; i++) {
        System.gc();
        Thread.sleep(5);
        assertNotEquals(address, call.bytes(5000), "the memory of an operand was given away");
      }
      call.close();
    } finally {
      device.close();
    }
  }

  private static long addressOfATensorThatIsForgotten(Call call, Device device) {
    return call.in(Tensor.on(rows(5, 250), DeviceStorage.lasting(device, 1250)));
  }

  /** One large request needs everything that many small tensors leave behind. */
  @Test
  void manySmallTensorsThatAreForgottenMakeRoomForALargeOne() {
    try (Backend cuda = open()) {
      gpu.memory(gpu.inUse() + (12L << 20));
      for (int i = 0; i < 10 * 16; i++) {
        cuda.allocate(rows(64, 256));
      }
      assertEquals(0, cuda.allocate(rows(2560, 1024)).get(3, 3));
    }
  }

  /**
   * More than the ring of slots holds, there and back; a slot is filled when the GPU has read it.
   */
  @Test
  void copiesLargerThanTheRingKeepTheirBits() {
    Cases cases = Cases.ofThisRun();
    Tensor x = cases.tensor(rows(2500, 1024), Cases.Values.ORDINARY);
    try (Backend cuda = open()) {
      Tensor there = cuda.allocate(x.shape());
      cuda.copy(x, there);
      new TensorAssert("cuda", "copy of 10 MiB", cases.seed()).sameBits(x, there);
    }
  }

  @Test
  void anotherThreadMayCloseIt() throws InterruptedException {
    for (String products : List.of("foreign", "jcuda")) {
      Backend second = opened(products);
      List<String> said =
          Said.by(
              CudaBackend.class,
              () -> {
                Thread closing = new Thread(second::close);
                closing.start();
                assertEquals(Boolean.TRUE, joined(closing));
              });
      assertEquals(List.of(), said, products);
    }
  }

  private static boolean joined(Thread thread) {
    try {
      thread.join(10_000);
      return !thread.isAlive();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Backend opened(String products) {
    System.setProperty(BlasChoice.PROPERTY, products);
    try {
      return Backends.named("cuda", BackendOptions.defaults().withDevice(1));
    } finally {
      System.clearProperty(BlasChoice.PROPERTY);
    }
  }

  /** A grid has 65,535 blocks in its second direction; here launches have 64 rows. */
  @Test
  void productsOfManyRowsAreSeveralLaunches() {
    Cases cases = Cases.ofThisRun();
    Device device = new Device(0);
    try (Call call = new Call(device)) {
      Rows x = Rows.of(call.in(cases.tensor(rows(150, 7), Cases.Values.ORDINARY)), 7);
      Rows w = Rows.of(call.in(cases.tensor(rows(7, 70), Cases.Values.ORDINARY)), 70);
      Rows a = Rows.of(call.in(cases.tensor(rows(7, 150), Cases.Values.ORDINARY)), 150);
      Rows dOut = Rows.of(call.in(cases.tensor(rows(150, 70), Cases.Values.ORDINARY)), 70);
      float[][] found = new float[2][];
      for (int few = 0; few < 2; few++) {
        Kernels kernels = device.kernels();
        ProductOps products =
            new ProductOps(few == 0 ? new KernelBlas(kernels) : new KernelBlas(kernels, 64));
        long out = call.floats(SUMS + 150 * 70 + 150 * 7);
        call.clear(out, SUMS);
        products.addOuterProducts(7, a, w, Rows.of(out, 70));
        products.multiply(150, x, w, Rows.of(out + Float.BYTES * SUMS, 70));
        products.multiplyTransposed(150, dOut, w, Rows.of(out + 2 * Float.BYTES * SUMS, 7));
        found[few] = new float[(int) (2 * SUMS + 150 * 7)];
        call.transfers().fetch(out, found[few], 0, found[few].length);
      }
      assertArrayEquals(found[0], found[1]);
    } finally {
      device.close();
    }
  }

  /** As many rows as there are parts of 64 beyond what a grid has in its second direction. */
  @Test
  @Tag("emulation")
  void sumsOverFourMillionRows() {
    int rows = 65_536 * 64 + 1;
    try (Backend cuda = open()) {
      Tensor x = cuda.allocate(rows(rows, 1));
      cuda.copy(Tensor.zeros(rows(rows, 1)).map(zero -> 1), x);
      Tensor sum = cuda.allocate(Shape.of(Axis.D_MODEL, 1));
      cuda.addColumnSums(x, sum);
      assertEquals((float) rows, sum.get(0));
    }
  }

  /** Sizes of which one is 0 are none that cuBLAS would refuse. */
  @Test
  void productsOfNoTermsAreZero() {
    for (String products : List.of("foreign", "jcuda", "kernels")) {
      try (Backend cuda = ProductsTest.open(products, Precision.FP32)) {
        Tensor out = cuda.allocate(rows(3, 5));
        Tensor bias = Tensor.zeros(Shape.of(Axis.OUT, 5)).map(zero -> 2);
        cuda.linear(
            Tensor.zeros(rows(3, 0)),
            cuda.pack(Tensor.zeros(rows(0, 5))),
            bias,
            Activation.IDENTITY,
            out);
        assertEquals(2, out.get(2, 4), products);
      }
    }
  }

  /** NVIDIA's variable decides over what cuBLAS is asked for, so it must not ask for the other. */
  @Test
  void aVariableThatForcesTheOtherPrecisionIsASentence() {
    BlasChoice.requirePrecisionToBeOurs(Precision.FP32, null);
    BlasChoice.requirePrecisionToBeOurs(Precision.FP32, "0");
    BlasChoice.requirePrecisionToBeOurs(Precision.TF32, "1");
    assertEquals(
        "cuda: the variable NVIDIA_TF32_OVERRIDE is 1, with which cuBLAS rounds factors to tf32"
            + " whatever it is asked for. Unset it, or ask for tf32.",
        refusal(Precision.FP32, "1"));
    assertEquals(
        "cuda: the variable NVIDIA_TF32_OVERRIDE is 0, with which cuBLAS does not take tf32"
            + " whatever it is asked for. Unset it, or ask for fp32.",
        refusal(Precision.TF32, "0"));
  }

  private static String refusal(Precision precision, String override) {
    return assertThrows(
            BackendUnavailableException.class,
            () -> BlasChoice.requirePrecisionToBeOurs(precision, override))
        .getMessage();
  }

  /** Some systems come without the part of the driver that compiles. */
  @Test
  void whatTheDriverCannotCompileNvrtcDoes() {
    gpu.refusePtx(JIT_COMPILER_NOT_FOUND);
    System.setProperty(Nvrtc.PROPERTY, "/nowhere/libnvrtc.so.13");
    BackendUnavailableException e =
        assertThrows(BackendUnavailableException.class, () -> open().close());
    assertTrue(
        e.getMessage().contains("the driver's compiler for kernels is missing"), e.getMessage());
    System.setProperty(Nvrtc.PROPERTY, gpu.nvrtc().toString());
    List<String> said =
        Said.by(
            KernelImage.class,
            () -> {
              try (Backend cuda = open()) {
                assertTrue(
                    cuda.description().contains("kernels by NVRTC 12.6 for sm_90"),
                    cuda.description());
              }
            });
    assertEquals(1, said.size(), said::toString);
    assertTrue(said.getFirst().endsWith("NVRTC 12.6 compiles them instead."), said::toString);
  }
}
