package dev.resid.sae.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.metric.SaeMetric;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Backend;
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

/** What docs/sae.md shows runs, and its table of metrics is the code's. */
class SaeDocumentTest {
  private static final int EMBEDDED_WIDTH = 192;

  @TempDir private Path temporary;

  @Test
  void theExampleRuns() throws IOException {
    try (Backend backend = Backends.named("scalar", BackendOptions.defaults())) {
      SaeCheckpoint.save(
          SmallSaes.random(HookPoint.residPre(3), EMBEDDED_WIDTH, 40, 1, backend),
          DType.F32,
          temporary.resolve("sae"));
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    SaeExample.run(temporary.resolve("sae"), new PrintStream(bytes, true, StandardCharsets.UTF_8));
    List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals(2, lines.size(), lines.toString());
    assertTrue(
        lines.get(0).matches("\\d+\\.\\d features a token cost -?\\d+\\.\\d{3} nats"),
        lines.get(0));
    assertTrue(lines.get(1).contains("d_vocab=4096"), lines.get(1));
  }

  @Test
  void theDocumentShowsTheSameLines() throws IOException {
    Path root = root();
    List<String> source =
        Files.readAllLines(
            root.resolve("sae/src/test/java/dev/resid/sae/examples/SaeExample.java"));
    int begin = indexOf(source, "// example:begin") + 1;
    int end = indexOf(source, "// example:end");
    String expected =
        source.subList(begin, end).stream()
            .map(line -> line.isBlank() ? "" : line.substring(4))
            .collect(Collectors.joining("\n"));
    String document = document();
    int from = document.indexOf("```java\n") + "```java\n".length();
    assertEquals(expected, document.substring(from, document.indexOf("\n```", from)));
  }

  @Test
  void everyMetricIsInTheTableWithItsDefinition() throws IOException {
    String document = document();
    for (SaeMetric metric : SaeMetric.values()) {
      String row =
          "| `"
              + metric.key()
              + "` | "
              + metric.definition().replace("|", "\\|")
              + " | "
              + metric.unit()
              + " |\n";
      assertTrue(document.contains(row), "docs/sae.md lacks the row " + row);
    }
  }

  private static String document() throws IOException {
    return Files.readString(root().resolve("docs/sae.md"));
  }

  private static int indexOf(List<String> lines, String text) {
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).strip().equals(text)) {
        return i;
      }
    }
    throw new AssertionError("no line \"" + text + "\"");
  }

  private static Path root() {
    Path dir = Path.of("").toAbsolutePath();
    while (!Files.isRegularFile(dir.resolve("README.md"))) {
      dir = dir.getParent();
      if (dir == null) {
        throw new AssertionError("no README.md above " + Path.of("").toAbsolutePath());
      }
    }
    return dir;
  }
}
