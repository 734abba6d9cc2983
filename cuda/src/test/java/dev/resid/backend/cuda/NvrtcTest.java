package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.resid.backend.BackendUnavailableException;
import dev.resid.backend.Backends;
import dev.resid.backend.Precision;
import dev.resid.tensor.Backend;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Kernels compiled by NVRTC: a stand-in for it on the emulated GPU, and a real one without any. */
class NvrtcTest {
  @AfterEach
  void clear() {
    System.clearProperty(Nvrtc.PROPERTY);
    System.clearProperty(KernelImage.PROPERTY);
  }

  private static EmulatedGpu gpu() {
    EmulatedGpu gpu = EmulatedGpu.require();
    gpu.repair();
    System.setProperty(Nvrtc.PROPERTY, gpu.nvrtc().toString());
    return gpu;
  }

  private static String opened() {
    try (Backend cuda = ProductsTest.open("kernels", Precision.FP32)) {
      return cuda.description();
    }
  }

  @Test
  void withoutBeingAskedForItIsNotUsed() {
    EmulatedGpu gpu = gpu();
    assertFalse(opened().contains("NVRTC"), "the driver compiles the text of the jar");
    assertFalse(gpu.hasBinary());
    String steps = String.join("\n", Backends.steps().get("cuda"));
    assertTrue(steps.contains("libnvrtc.so.12: opened, NVRTC 12.6"), steps);
  }

  @Test
  void itCompilesForTheArchitectureOfTheGpu() {
    EmulatedGpu gpu = gpu();
    System.setProperty(KernelImage.PROPERTY, "nvrtc");
    String description = opened();
    assertTrue(description.contains("kernels by NVRTC 12.6 for sm_90"), description);
    assertTrue(gpu.hasBinary());
  }

  @Test
  void whatItCannotCompileTheDriverDoes() {
    EmulatedGpu gpu = gpu();
    gpu.device(1, 13000, 10);
    System.setProperty(KernelImage.PROPERTY, "nvrtc");
    assertFalse(opened().contains("NVRTC"), "sm_100 is not known to it");
    assertFalse(gpu.hasBinary());
    gpu.repair();
    System.setProperty(Nvrtc.PROPERTY, gpu.nvrtc() + ".gone");
    assertFalse(opened().contains("NVRTC"), "it is not there");
    String steps = String.join("\n", Backends.steps().get("cuda"));
    assertTrue(steps.contains(".gone: not found, so the driver compiles the kernels"), steps);
  }

  @Test
  void anUnknownWayToCompileIsRefused() {
    gpu();
    System.setProperty(KernelImage.PROPERTY, "hipcc");
    BackendUnavailableException e =
        assertThrows(BackendUnavailableException.class, NvrtcTest::opened);
    assertTrue(e.getMessage().contains("\"hipcc\", expected ptx or nvrtc"), e.getMessage());
  }

  @Test
  void whatTheCompilerSaysIsInTheError() {
    gpu();
    Nvrtc nvrtc = Nvrtc.find(new ArrayList<>()).orElseThrow();
    CudaFailureException e =
        assertThrows(CudaFailureException.class, () -> nvrtc.compile("", Map.of(), 95));
    assertEquals(
        "cuda: NVRTC 12.6 cannot compile the kernels for sm_95: error: invalid value for"
            + " --gpu-architecture (-arch)",
        e.getMessage());
    e =
        assertThrows(
            CudaFailureException.class,
            () -> nvrtc.compile("#include \"common.cuh\"", Map.of(), 75));
    assertTrue(e.getMessage().contains("cannot open source file \"common.cuh\""), e.getMessage());
  }

  /** Compiles the kernels by whatever NVRTC there is. */
  static final class Compiling {
    private Compiling() {}

    public static void main(String[] arguments) {
      List<String> steps = new ArrayList<>();
      Optional<Nvrtc> nvrtc = Nvrtc.find(steps);
      if (nvrtc.isEmpty()) {
        System.out.println("absent: " + steps);
        return;
      }
      Map<String, String> included = new LinkedHashMap<>();
      String source = KernelImage.source("resid.cu");
      KernelImage.include(source, included);
      for (int capability : new int[] {75, 90}) {
        byte[] binary = nvrtc.get().compile(source, included, capability);
        String text = new String(binary, StandardCharsets.ISO_8859_1);
        System.out.println(
            text.substring(1, 4)
                + " "
                + text.contains("resid_add")
                + " "
                + text.contains("resid_attention_backward_keys"));
      }
    }
  }

  /**
   * Needs no GPU. In a process of its own: NVRTC asks for the driver, and the emulated one is not
   * whole enough for that.
   */
  @Test
  void aRealOneCompilesTheKernels() {
    String said =
        Programs.run(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Compiling.class.getName()));
    assumeFalse(said.startsWith("absent: "), said);
    assertEquals("ELF true true\nELF true true\n", said);
  }
}
