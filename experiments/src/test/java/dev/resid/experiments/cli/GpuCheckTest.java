package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.resid.testing.EmulatedDevices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script that checks the backend on a machine with a GPU, in a folder like that which {@code
 * scripts/gpu-bundle.sh} makes, with this Java and these classes.
 */
class GpuCheckTest {
  private static final Path SCRIPT = Path.of("..", "scripts", "gpu-check.sh");

  /** Stands for the bundle's Java: the same arguments, with the classes of this test. */
  private static final String JAVA =
      """
      #!/usr/bin/env bash
      arguments=()
      while [ $# -gt 0 ]; do
        if [ "$1" = -cp ]; then
          arguments+=(-cp "$RESID_TEST_CLASSES")
          shift
        else
          arguments+=("$1")
        fi
        shift
      done
      exec "$RESID_TEST_JAVA" -XX:TieredStopAtLevel=1 "${arguments[@]}"
      """;

  @TempDir private Path folder;

  private record Result(int code, String said) {}

  @BeforeEach
  void makeTheFolder() throws IOException {
    Files.copy(SCRIPT, folder.resolve("gpu-check.sh"));
    Files.createDirectories(folder.resolve("unpacked/project"));
    Files.createFile(folder.resolve("unpacked/whole"));
    Path java = Files.createDirectories(folder.resolve("unpacked/runtime/bin")).resolve("java");
    Files.writeString(java, JAVA);
    assertTrue(java.toFile().setExecutable(true));
  }

  private Result check(Optional<Path> libraries, String... steps)
      throws IOException, InterruptedException {
    return check(libraries, 540, steps);
  }

  private Result check(Optional<Path> libraries, int seconds, String... steps)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("bash", "gpu-check.sh", "results"));
    command.addAll(List.of(steps));
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("RESID_GPU_CHECK_SIZE", "small");
    builder.environment().put("RESID_GPU_CHECK_SECONDS", String.valueOf(seconds));
    builder.environment().put("RESID_TEST_CLASSES", System.getProperty("java.class.path"));
    builder
        .environment()
        .put("RESID_TEST_JAVA", Path.of(System.getProperty("java.home"), "bin", "java").toString());
    libraries.ifPresent(path -> builder.environment().put("LD_LIBRARY_PATH", path.toString()));
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), said);
  }

  private static Optional<Path> emulated() {
    Optional<EmulatedDevices> gpus = ServiceLoader.load(EmulatedDevices.class).findFirst();
    assumeTrue(gpus.isPresent(), "the tests of the cuda backend are not on the class path");
    assumeTrue(gpus.get().problem().isEmpty(), () -> gpus.get().problem().orElseThrow());
    return Optional.of(gpus.get().libraries());
  }

  /** All steps on small sizes: what the script does with files, folders and classes. */
  @Test
  @Tag("emulation")
  void everyStepPassesAtSmallSizes() throws IOException, InterruptedException {
    Result result = check(emulated(), 1800);
    assertEquals(0, result.code, result.said);
    List<String> summary = Files.readAllLines(folder.resolve("results/summary.txt"));
    assertEquals(
        List.of(),
        summary.stream()
            .filter(line -> !line.matches("passed  .*|skipped (torch|sanitizer): .*"))
            .toList());
    assertEquals(17, summary.size(), summary::toString);
    assertTrue(Files.exists(folder.resolve("results.tgz")));
    Result again = check(emulated(), 1800);
    assertEquals(0, again.code, again.said);
    assertFalse(again.said.contains("-- contract"), again.said);
  }

  /** A call that has no time left says what the next one has to do. */
  @Test
  void whatACallHasNoTimeForIsLeftToTheNext() throws IOException, InterruptedException {
    Path done = Files.createDirectories(folder.resolve("results/parts"));
    Files.writeString(done.resolve("speed"), "passed  speed\n");
    Result result = check(Optional.empty(), 0, "torch", "nvrtc", "sensitivity");
    assertEquals(3, result.code, result.said);
    assertTrue(
        result.said.endsWith(
            "left, call again: sensitivity-cuda sensitivity-vector sensitivity-again"
                + " sensitivity-equal\n"),
        result.said);
    assertEquals(
        "passed  speed",
        Files.readAllLines(folder.resolve("results/summary.txt")).getFirst(),
        "what an earlier call did is kept");
  }

  @Test
  void withAGpuDoctorPasses() throws IOException, InterruptedException {
    Result result = check(emulated(), "doctor");
    assertEquals(0, result.code, result.said);
    assertTrue(result.said.contains("  cuda       emulated GPU"), result.said);
    assertEquals("passed  doctor\n", Files.readString(folder.resolve("results/summary.txt")));
  }

  @Test
  void aStepThatIsNotThereIsWrongUsage() throws IOException, InterruptedException {
    assertEquals(
        new Result(2, "gpu-check: there is no step nonsense\n"),
        check(Optional.empty(), "doctor", "nonsense"));
    assertFalse(Files.exists(folder.resolve("results")));
  }

  @Test
  void everyClassThatItRunsIsThere() throws IOException {
    Matcher classes =
        Pattern.compile("(?:select-class=|contract=)(dev\\.resid[.\\w]+)")
            .matcher(Files.readString(SCRIPT));
    int found = 0;
    for (; classes.find(); found++) {
      String file = "src/test/java/" + classes.group(1).replace('.', '/') + ".java";
      assertTrue(
          List.of("core", "cuda", "sae").stream()
              .anyMatch(module -> Files.exists(Path.of("..", module, file))),
          classes.group(1));
    }
    assertTrue(found > 15, found + " classes");
  }
}
