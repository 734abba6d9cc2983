package dev.resid.sae.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Backend;
import dev.resid.testing.FakeHub;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** What docs/hub.md shows runs, against a hub on this machine that has small files. */
@Isolated("sets properties of the JVM")
class HubDocumentTest {
  @TempDir private Path temporary;

  @Test
  void theExampleRuns() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (FakeHub hub = new FakeHub();
        Backend backend = Backends.named("scalar", BackendOptions.defaults())) {
      System.setProperty("HF_HOME", temporary.resolve("home").toString());
      System.setProperty("HF_ENDPOINT", hub.endpoint().toString());
      Path model = temporary.resolve("model");
      Gpt2Checkpoint.save(SmallSaes.model(SmallSaes.MODEL, 1), DType.F32, model);
      publish(hub, "openai-community/gpt2", "", model, "config.json", "model.safetensors");
      Path sae = temporary.resolve("sae");
      HookPoint point = HookPoint.residPre(8);
      SaeCheckpoint.save(SmallSaes.random(point, 8, 40, 1, backend), DType.F32, sae);
      publish(
          hub,
          "jbloom/GPT2-Small-SAEs-Reformatted",
          "blocks.8.hook_resid_pre/",
          sae,
          "cfg.json",
          "sae_weights.safetensors");
      HubExample.run(backend, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    } finally {
      System.clearProperty("HF_HOME");
      System.clearProperty("HF_ENDPOINT");
    }
    assertEquals("2 blocks, 40 features", bytes.toString(StandardCharsets.UTF_8).strip());
  }

  private static void publish(FakeHub hub, String repository, String at, Path from, String... names)
      throws IOException {
    for (String name : names) {
      hub.putLarge(repository, at + name, Files.readAllBytes(from.resolve(name)));
    }
  }

  @Test
  void theDocumentShowsTheSameLines() throws IOException {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.isRegularFile(root.resolve("README.md"))) {
      root = root.getParent();
    }
    List<String> source =
        Files.readAllLines(
            root.resolve("sae/src/test/java/dev/resid/sae/examples/HubExample.java"));
    List<String> marks = source.stream().map(String::strip).toList();
    String expected =
        source
            .subList(marks.indexOf("// example:begin") + 1, marks.indexOf("// example:end"))
            .stream()
            .map(line -> line.isBlank() ? "" : line.substring(4))
            .collect(Collectors.joining("\n"));
    String document = Files.readString(root.resolve("docs/hub.md"));
    int from = document.indexOf("```java\n") + "```java\n".length();
    assertEquals(expected, document.substring(from, document.indexOf("\n```", from)));
  }
}
