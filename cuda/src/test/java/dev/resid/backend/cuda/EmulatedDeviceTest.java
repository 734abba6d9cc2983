package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Availability;
import dev.resid.backend.Availability.Unavailable;
import dev.resid.backend.BackendOptions;
import dev.resid.backend.BackendUnavailableException;
import dev.resid.backend.Backends;
import dev.resid.backend.Precision;
import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.tensor.Activation;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Memory, failures and bad surroundings, on the emulated GPU. */
class EmulatedDeviceTest {
  private static final int ILLEGAL_ADDRESS = 700;

  private EmulatedGpu gpu;

  @BeforeEach
  void loadEmulation() {
    gpu = EmulatedGpu.require();
    gpu.repair();
  }

  @AfterEach
  void repair() {
    gpu.repair();
  }

  private static CudaBackend open() {
    return (CudaBackend) ProductsTest.open("foreign", Precision.FP32);
  }

  private static Shape rows(int rows, int columns) {
    return Shape.of(Axis.ROW, rows, Axis.D_MODEL, columns);
  }

  @Test
  void closingFreesEverything() {
    long before = gpu.inUse();
    try (Backend cuda = open()) {
      Tensor x = cuda.allocate(rows(100, 100));
      Matrix w = cuda.pack(Tensor.zeros(rows(100, 50)));
      Scope scope = cuda.scope();
      scope.take(rows(1000, 100));
      cuda.linearBackwardInput(Tensor.zeros(rows(100, 50)), w, x);
      assertTrue(gpu.inUse() > before + 4 * 100_000);
    }
    assertEquals(before, gpu.inUse());
  }

  @Test
  void aKernelThatFailsInTheMiddleLeavesNothingBehindAndSaysWhatToDo() {
    long before = gpu.inUse();
    try (CudaBackend cuda = open()) {
      Tensor x = Tensor.zeros(rows(5, 7)).map(zero -> 1);
      Matrix w = cuda.pack(Tensor.zeros(rows(7, 300)).map(zero -> 1));
      Tensor bias = Tensor.zeros(Shape.of(Axis.OUT, 300));
      cuda.unembedLogSumExp(x, w, bias); // the pool has what the calls need
      long inUse = cuda.memory().inUse();
      for (int launch = 0; launch < 3; launch++) {
        gpu.failLaunch(launch, ILLEGAL_ADDRESS);
        CudaFailureException e =
            assertThrows(CudaFailureException.class, () -> cuda.unembedLogSumExp(x, w, bias));
        assertTrue(
            e.getMessage().matches("cuda: cannot .*a kernel touched memory that is not its own.*"),
            e.getMessage());
        assertTrue(e.getMessage().contains("finished blocks of a sweep are kept"));
        // A real GPU stays broken; here the accounts can be looked at.
        gpu.repair();
        assertEquals(inUse, cuda.memory().inUse(), "after failing launch " + launch);
      }
      gpu.failLaunch(2, ILLEGAL_ADDRESS);
      assertThrows(
          CudaFailureException.class,
          () -> {
            try (Scope scope = cuda.scope()) {
              Tensor out = scope.take(rows(5, 300));
              cuda.linear(x, w, bias, Activation.GELU_NEW, out);
              cuda.add(out, out, out);
              cuda.add(out, out, out);
              cuda.add(out, out, out);
            }
          });
      gpu.repair();
      assertEquals(inUse, cuda.memory().inUse(), "after a scope in which a kernel failed");
    }
    assertEquals(before, gpu.inUse());
  }

  @Test
  void tensorsOfAClosedScopeSaySo() {
    try (Backend cuda = open()) {
      Tensor kept;
      Tensor given;
      try (Scope scope = cuda.scope()) {
        kept = scope.take(rows(2, 3));
        given = scope.take(rows(2, 3));
        scope.give(given);
      }
      for (Tensor gone : new Tensor[] {kept, given}) {
        IllegalStateException e = assertThrows(IllegalStateException.class, gone::toArray);
        assertTrue(e.getMessage().contains("its scope"), e.getMessage());
        assertThrows(IllegalStateException.class, () -> cuda.add(gone, gone, gone));
      }
    }
  }

  @Test
  void tensorsOfAClosedBackendSaySo() {
    Tensor tensor;
    try (Backend cuda = open()) {
      tensor = cuda.allocate(rows(2, 3));
    }
    assertTrue(
        assertThrows(IllegalStateException.class, tensor::toArray).getMessage().contains("closed"));
  }

  @Test
  void operandsOfAnotherDeviceAreRefused() {
    try (Backend cuda = open();
        Backend other = open()) {
      Tensor here = cuda.allocate(rows(2, 3));
      Tensor there = other.allocate(rows(2, 3));
      assertThrows(IllegalArgumentException.class, () -> cuda.add(here, there, here));
      Matrix w = other.pack(Tensor.zeros(rows(3, 3)));
      assertThrows(IllegalArgumentException.class, () -> cuda.linearBackwardInput(here, w, here));
    }
  }

  /** Products that do not fit are taken in smaller parts, with the same numbers. */
  @Test
  void littleMemoryMakesSmallerParts() {
    Cases cases = Cases.ofThisRun();
    int V = 3001;
    Tensor x = cases.tensor(rows(600, 5), Cases.Values.ORDINARY);
    Tensor w = cases.tensor(rows(5, V), Cases.Values.ORDINARY);
    Tensor bias = cases.tensor(Shape.of(Axis.OUT, V), Cases.Values.ORDINARY);
    double[] expected;
    try (Backend cuda = open()) {
      expected = cuda.unembedLogSumExp(x, cuda.pack(w), bias);
    }
    try (CudaBackend cuda = open()) {
      Matrix packed = cuda.pack(w);
      // 600 rows of 3001 logits are 7 MiB; there are 2.
      gpu.memory(gpu.inUse() + (2 << 20));
      double[] actual = cuda.unembedLogSumExp(x, packed, bias);
      new TensorAssert("cuda", "unembedLogSumExp with little memory", cases.seed())
          .sameBits(Shape.of(Axis.ROW, 600), expected, actual);
      assertTrue(gpu.launches() > 0);
    }
  }

  @Test
  void memoryThatDoesNotSufficeIsASentence() {
    try (Backend cuda = open()) {
      gpu.memory(gpu.inUse() + (1 << 20));
      CudaFailureException e =
          assertThrows(CudaFailureException.class, () -> cuda.allocate(rows(1000, 1000)));
      assertTrue(e.isOutOfMemory());
      assertTrue(e.getMessage().contains("the GPU has no memory left"), e.getMessage());
      assertTrue(e.getMessage().contains("Use smaller batches"), e.getMessage());
      gpu.repair();
      assertEquals(1_000_000, cuda.allocate(rows(1000, 1000)).elements());
    }
  }

  /** What nobody refers to any more is memory again when it is needed. */
  @Test
  void unreachableTensorsMakeRoom() {
    try (Backend cuda = open()) {
      gpu.memory(gpu.inUse() + (20L << 20));
      for (int i = 0; i < 50; i++) {
        assertEquals(0, cuda.allocate(rows(1024, 1024)).get(3, 3));
      }
    }
  }

  /** Contexts longer than a block's shared memory holds scores for take the long way. */
  @Test
  void longContextsAgree() {
    Cases cases = Cases.ofThisRun();
    int S = 1500;
    Shape queries = Shape.of(Axis.BATCH, 2, Axis.POS, 3, Axis.HEAD, 2, Axis.D_HEAD, 4);
    Shape keys = queries.with(Axis.POS, S);
    Tensor q = cases.tensor(queries, Cases.Values.ORDINARY);
    Tensor k = cases.tensor(keys, Cases.Values.ORDINARY);
    Tensor v = cases.tensor(keys, Cases.Values.ORDINARY);
    AttentionSpec spec = new AttentionSpec(0.5, S - 3);
    try (Backend cuda = open();
        Backend scalar = new ScalarBackend()) {
      Tensor expected = scalar.allocate(queries);
      scalar.attention(q, k, v, spec, expected);
      Tensor actual = cuda.allocate(queries);
      cuda.attention(q, k, v, spec, actual);
      new TensorAssert("cuda", "attention of 1500 keys", cases.seed())
          .close(expected, actual, Tolerance.within(1e-5, 0)); // 1500·u, about 1e-4 of the terms
    }
  }

  /** The gradient of attention takes three numbers a row of the pattern, and not the pattern. */
  @ParameterizedTest
  @CsvSource({"300, 4", "70, 128"})
  void theGradientOfAttentionKeepsNoPattern(int T, int D) {
    Shape shape = Shape.of(Axis.BATCH, 1, Axis.POS, T, Axis.HEAD, 2, Axis.D_HEAD, D);
    Cases cases = Cases.ofThisRun();
    try (CudaBackend cuda = open()) {
      Tensor[] operands = new Tensor[7];
      for (int i = 0; i < operands.length; i++) {
        operands[i] = cuda.allocate(shape);
        cuda.copy(cases.tensor(shape, Cases.Values.ORDINARY), operands[i]);
      }
      long before = cuda.memory().mostAllocated();
      backward(cuda, new AttentionSpec(0.5, 0), operands);
      long more = cuda.memory().mostAllocated() - before;
      assertTrue(more < 20L * 2 * T + 1024, "it took " + more + " bytes");
    }
  }

  private static void backward(Backend cuda, AttentionSpec spec, Tensor... dZqkvdQdKdV) {
    Tensor[] t = dZqkvdQdKdV;
    cuda.attentionBackward(t[0], t[1], t[2], t[3], spec, t[4], t[5], t[6]);
  }

  /** Heads whose tiles do not fit into a block's shared memory take the long way. */
  @Test
  void wideHeadsHaveTheSameGradients() {
    Cases cases = Cases.ofThisRun();
    Shape shape = Shape.of(Axis.BATCH, 2, Axis.POS, 5, Axis.HEAD, 1, Axis.D_HEAD, 200);
    AttentionSpec spec = new AttentionSpec(0.1, 0);
    Tensor[] in = new Tensor[4];
    Arrays.setAll(in, i -> cases.tensor(shape, Cases.Values.ORDINARY));
    try (Backend cuda = open();
        Backend scalar = new ScalarBackend()) {
      Tensor[][] out = new Tensor[2][3];
      for (int b = 0; b < 2; b++) {
        Backend backend = b == 0 ? scalar : cuda;
        Arrays.setAll(out[b], i -> backend.allocate(shape));
        backward(backend, spec, in[0], in[1], in[2], in[3], out[b][0], out[b][1], out[b][2]);
      }
      TensorAssert check = new TensorAssert("cuda", "gradients of wide heads", cases.seed());
      for (int i = 0; i < 3; i++) {
        check.close(out[0][i], out[1][i], Tolerance.within(1e-4, 1e-4)); // as longContextsAgree
      }
    }
  }

  @Test
  void badSurroundingsAreSentences() {
    unavailable(0, 13000, 9, "the driver sees no GPU");
    unavailable(1, 10020, 9, "the driver for CUDA 10.2 is too old");
    unavailable(1, 13000, 6, "the kernels need compute capability 7.5");
  }

  /** A driver that is there and too old is a surprise, and no driver at all is none. */
  @Test
  void theFastestBackendSaysWhyADriverDoesNotDo() {
    List<String> said =
        Said.by(Backends.class, () -> unavailable(1, 10010, 9, "the driver for CUDA 10.1"));
    assertEquals(
        List.of(
            "Not using cuda: the driver for CUDA 10.1 is too old for the kernels, which need one"
                + " for CUDA 11 or newer. Install a newer driver."),
        said);
    assertEquals(
        List.of(), Said.by(Backends.class, () -> unavailable(1, 10010, 9, "the driver for")));
  }

  private void unavailable(int count, int version, int capability, String reason) {
    gpu.device(count, version, capability);
    Availability found = Backends.available().get("cuda");
    assertTrue(found instanceof Unavailable u && u.reason().startsWith(reason), () -> "" + found);
    BackendUnavailableException e =
        assertThrows(BackendUnavailableException.class, () -> Backends.named("cuda"));
    assertTrue(e.getMessage().contains(reason), e.getMessage());
    try (Backend fastest = Backends.fastest()) {
      assertEquals("vector", fastest.name());
    }
  }

  /** A GPU that is there and has no memory for us is passed over, and the log says why. */
  @Test
  void theFastestBackendIsNotAGpuWithoutMemory() {
    List<String> said = Said.by(Backends.class, this::passedOver);
    assertEquals(1, said.size(), said::toString);
    assertTrue(said.getFirst().matches("Not using cuda: .* no memory left .*"), said::toString);
  }

  private void passedOver() {
    gpu.memory(gpu.inUse() + 1024);
    BackendUnavailableException e =
        assertThrows(BackendUnavailableException.class, () -> Backends.named("cuda"));
    assertTrue(e.getMessage().contains("no memory left"), e.getMessage());
    try (Backend fastest = Backends.fastest()) {
      assertEquals("vector", fastest.name());
    }
    gpu.repair();
    try (Backend fastest = Backends.fastest()) {
      assertEquals("cuda", fastest.name());
    }
  }

  @Test
  void theSecondGpuCanBeChosenAndTheThirdIsNotThere() {
    try (Backend second = Backends.named("cuda", BackendOptions.defaults().withDevice(1))) {
      assertEquals("cuda", second.name());
    }
    BackendUnavailableException e =
        assertThrows(
            BackendUnavailableException.class,
            () -> Backends.named("cuda", BackendOptions.defaults().withDevice(2)));
    assertTrue(e.getMessage().contains("there is no GPU 2; there are 2"), e.getMessage());
  }

  @Test
  void stepsNameEverythingThatWasTried() {
    String steps = String.join("\n", Backends.steps().get("cuda"));
    for (String part :
        Arrays.asList(
            "libcuda.so.1: opened",
            "JCuda's driver library: loaded",
            "driver for CUDA 13.0",
            "GPU 1: emulated GPU, compute capability 9.0")) {
      assertTrue(steps.contains(part), steps);
    }
  }
}
