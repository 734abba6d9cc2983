package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import java.util.List;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
  @Test
  void everyBackendIsListedAndTheFastestIsMarked() {
    CliRun run = CliRun.of("doctor");
    assertEquals(ResidCommand.OK, run.exitCode());
    List<String> lines = run.out().lines().toList();
    List<String> backends =
        lines.subList(lines.indexOf("Backends") + 1, lines.size()).stream()
            .filter(line -> line.startsWith("  "))
            .map(line -> line.strip().split(" ")[0])
            .toList();
    assertEquals(List.copyOf(Backends.available().keySet()), backends);
    assertEquals(1, lines.stream().filter(line -> line.endsWith("(the default)")).count());
  }

  @Test
  void whatWasTriedForAGpuIsListed() {
    String out = CliRun.of("doctor").out();
    assertEquals(
        Backends.available().containsKey("cuda"),
        out.matches("(?s).*Tried for cuda\\R- \\S.*"),
        out);
  }

  @Test
  void javaMemoryAndTheVectorApiAreReported() {
    String out = CliRun.of("doctor").out();
    assertAll(
        () -> assertTrue(out.contains("Java         " + Runtime.version()), out),
        () -> assertTrue(out.matches("(?s).*Memory       [\\d.]+ GiB for Java, .*"), out),
        () -> assertTrue(out.contains("Vector API   loaded"), out),
        () ->
            assertTrue(
                out.matches("(?s).*Model        (embedded, \\d+ blocks|none embedded).*"), out));
  }
}
