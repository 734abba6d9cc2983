package dev.resid.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ReadmeExampleTest {
  @Test
  void runsAndPrintsOneLineOfNumbers() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ReadmeExample.run(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    String line = bytes.toString(StandardCharsets.UTF_8).strip();
    assertTrue(
        line.matches("KL \\d+\\.\\d{4}, head 0 \\d+\\.\\d{4} nats"), "printed \"" + line + "\"");
  }

  @Test
  void readmeShowsTheSameLines() throws IOException {
    Path root = root();
    List<String> source =
        Files.readAllLines(
            root.resolve("core/src/test/java/dev/resid/examples/ReadmeExample.java"));
    int begin = indexOf(source, "// readme:begin") + 1;
    int end = indexOf(source, "// readme:end");
    String expected =
        source.subList(begin, end).stream()
            .map(line -> line.isBlank() ? "" : line.substring(4))
            .collect(Collectors.joining("\n"));
    String readme = Files.readString(root.resolve("README.md"));
    int from = readme.indexOf("```java\n") + "```java\n".length();
    assertEquals(expected, readme.substring(from, readme.indexOf("\n```", from)));
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
