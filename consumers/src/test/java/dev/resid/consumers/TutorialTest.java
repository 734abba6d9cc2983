package dev.resid.consumers;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code docs/tutorial.md} shows the lines of the project that {@link ExamplesTest} runs. */
class TutorialTest {
  private static final Path PROJECT = Built.ROOT.resolve("examples/tutorial");

  @ParameterizedTest
  @CsvSource({
    "FirstLook, docs:begin",
    "HeadDirections, docs:begin",
    "TopTokenKept, docs:begin",
    "Models, docs:begin",
    "HeadStudy, docs:study",
    "HeadStudy, docs:run",
    "HeadStudy, docs:main"
  })
  void theDocumentShowsTheCode(String name, String mark) throws IOException {
    Path file = PROJECT.resolve("src/main/java/org/example/heads/" + name + ".java");
    List<String> lines = Files.readAllLines(file).stream().toList();
    int begin = indexOf(lines, "// " + mark, 0) + 1;
    int end = indexOf(lines, "// docs:end", begin);
    String code =
        String.join("\n", lines.subList(begin, end)).stripTrailing().stripIndent().strip();
    requireShown("```java\n" + code + "\n```");
  }

  @ParameterizedTest
  @CsvSource("pom.xml")
  void theDocumentShowsTheProject(String file) throws IOException {
    requireShown("```xml\n" + Files.readString(PROJECT.resolve(file)).strip() + "\n```");
  }

  @ParameterizedTest
  @CsvSource({"Gpt2 gpt2 = Gpt2.embedded(backend);", "Gpt2 gpt2 = Models.gpt2Small(backend);"})
  void oneLineChangesForGpt2Small(String line) throws IOException {
    Path file = PROJECT.resolve("src/main/java/org/example/heads/HeadStudy.java");
    String main = Files.readString(file);
    assertTrue(main.contains("Gpt2 gpt2 = Gpt2.embedded(backend);"), "the line that is changed");
    requireShown(line);
  }

  private static void requireShown(String text) throws IOException {
    String document = Files.readString(Built.ROOT.resolve("docs/tutorial.md"));
    assertTrue(document.contains(text), "docs/tutorial.md has no\n" + text);
  }

  private static int indexOf(List<String> lines, String text, int from) {
    for (int i = from; i < lines.size(); i++) {
      if (lines.get(i).strip().equals(text)) {
        return i;
      }
    }
    throw new AssertionError("no line \"" + text + "\"");
  }
}
