package dev.resid.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Availability.Available;
import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class VectorBackendProviderTest {
  /** Prints, in a JVM of its own, which backends there are and which one is the fastest. */
  static final class PrintBackends {
    private PrintBackends() {}

    public static void main(String[] args) {
      System.out.println(Backends.available().get("vector"));
      try (Backend fastest = Backends.fastest()) {
        System.out.println(fastest.name());
      }
    }
  }

  @Test
  void isAvailableInThisBuild() {
    assertInstanceOf(Available.class, new VectorBackendProvider().availability());
  }

  @Test
  void isTheFastestOnTheCpu() throws Exception {
    assertEquals("vector", lines(run("--add-modules=jdk.incubator.vector")).getLast());
  }

  @Test
  void withoutTheModuleItSaysWhatToPassAndScalarIsTheFastest() throws Exception {
    List<String> lines = lines(run("-Dresid.test=none"));
    assertTrue(lines.getFirst().startsWith("Unavailable["), lines.toString());
    assertTrue(lines.getFirst().contains("--add-modules jdk.incubator.vector"), lines.toString());
    assertEquals("scalar", lines.getLast());
  }

  @Test
  void opensEveryWidthUnderItsName() {
    for (int bits : new int[] {128, 256, 512}) {
      try (Backend backend =
          new VectorBackendProvider()
              .open(BackendOptions.defaults().withThreads(2).withVectorBits(bits))) {
        assertEquals("vector", backend.name());
        assertTrue(backend.description().contains(bits + "-bit"), backend.description());
        assertTrue(backend.description().contains("threads: 2"), backend.description());
      }
    }
  }

  private static String run(String option) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                option,
                "-cp",
                System.getProperty("java.class.path"),
                PrintBackends.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), out);
    return out;
  }

  private static List<String> lines(String out) {
    return Arrays.asList(out.strip().split("\\R"));
  }
}
