package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.resid.backend.Availability;
import dev.resid.backend.Availability.Unavailable;
import dev.resid.backend.Backends;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a machine without NVIDIA's driver says, in a JVM into which nothing was loaded. */
class NoDriverTest {
  /** Prints what is available and every step. */
  static final class Asking {
    private Asking() {}

    public static void main(String[] arguments) {
      Availability cuda = Backends.available().get("cuda");
      if (cuda instanceof Unavailable(String reason, String fix)) {
        System.out.println(reason + "|" + fix);
      }
      Backends.steps().get("cuda").forEach(System.out::println);
      try (var fastest = Backends.fastest()) {
        System.out.println("fastest: " + fastest.name());
      }
    }
  }

  @Test
  void itSaysThatThereIsNoDriverAndTakesVector() {
    assumeFalse(
        List.of(
                "/usr/lib/x86_64-linux-gnu",
                "/usr/lib64",
                "/usr/lib/wsl/lib",
                "/usr/local/nvidia/lib64")
            .stream()
            .anyMatch(folder -> Files.exists(Path.of(folder, "libcuda.so.1"))),
        "there is a driver here");
    String said =
        Programs.run(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Asking.class.getName()));
    assertTrue(
        said.contains("no CUDA driver found (libcuda.so.1)|")
            || said.contains("JCuda's libraries are here for Linux on x86-64 only"),
        said);
    assertTrue(said.contains("\nlibcuda.so.1: not found\n") || said.contains("system "), said);
    assertTrue(said.contains("fastest: vector"), said);
    assertFalse(said.contains("Not using"), said);
  }
}
