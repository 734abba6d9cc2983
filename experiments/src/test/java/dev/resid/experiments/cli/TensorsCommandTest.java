package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.io.NpyWriter;
import dev.resid.io.SafetensorsWriter;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TensorsCommandTest {
  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = folder.resolve("two tensors.safetensors");
    new SafetensorsWriter()
        .metadata("format", "pt")
        .add("wte.weight", Tensor.zeros(Shape.of(Axis.D_VOCAB, 5, Axis.D_MODEL, 3)))
        .add("b\u001b[2J", Tensor.zeros(Shape.of(Axis.D_MODEL, 3)))
        .write(file);
  }

  @Test
  void everyTensorIsListedWithDtypeAndShape() {
    CliRun run = CliRun.of("tensors", file.toString());
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    assertEquals(
        List.of(
            "b\\u001b[2J  F32      [3]",
            "wte.weight  F32      [5, 3]",
            "safetensors: 2 tensors, 18 values"),
        run.out().lines().toList());
  }

  @Test
  void jsonHasTheNamesAsTheyAre() {
    CliRun run = CliRun.of("tensors", "--json", file.toString());
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    JsonNode found = new JsonMapper().readTree(run.out());
    assertEquals(
        new JsonMapper()
            .readTree(
                """
                {"format": "safetensors",
                 "metadata": {"format": "pt"},
                 "tensors": {"b\\u001b[2J": {"dtype": "F32", "shape": [3]},
                             "wte.weight": {"dtype": "F32", "shape": [5, 3]}}}
                """)
            .toString(),
        found.toString());
  }

  @Test
  void theContentSaysWhichFormatItIs() throws IOException {
    Path npy = folder.resolve("array.bin");
    NpyWriter.write(npy, Shape.of(Axis.POS, 4), new long[] {1, 2, 3, 4});
    CliRun run = CliRun.of("tensors", npy.toString());
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    assertTrue(run.out().contains("npy: 1 tensor, 4 values"), run.out());
    assertTrue(run.out().contains("I64      [4]"), run.out());
  }

  @Test
  void aDamagedFileIsOneSentenceThatNamesIt() throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(bytes, 100));
    CliRun run = CliRun.of("tensors", cut.toString());
    assertEquals(ResidCommand.FAILED, run.exitCode());
    assertEquals("", run.out());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().startsWith("resid: " + cut + ": "), run.err());
  }
}
