package dev.resid.consumers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import org.junit.jupiter.api.Test;

/** Every line of {@code examples/tour.jsh} does what it says, in JShell. */
class JshellTourTest {
  @Test
  void theTourRuns() throws IOException {
    List<SnippetEvent> events = new ArrayList<>();
    try (JShell shell =
        JShell.builder()
            .executionEngine("local")
            .compilerOptions("--add-modules", "jdk.incubator.vector")
            .build()) {
      for (String jar : System.getProperty("java.class.path").split(File.pathSeparator)) {
        shell.addToClasspath(jar);
      }
      for (String line : Files.readAllLines(Built.ROOT.resolve("examples/tour.jsh"))) {
        if (!line.isBlank() && !line.startsWith("//")) {
          String whole = shell.sourceCodeAnalysis().analyzeCompletion(line).source();
          events.addAll(shell.eval(whole).stream().map(e -> checked(shell, e)).toList());
        }
      }
    }
    assertEquals(
        "[batch=1, pos=9, d_model=192]",
        events.stream()
            .map(SnippetEvent::value)
            .filter(value -> value != null && value.contains("d_model"))
            .map(value -> value.substring(value.indexOf('['), value.indexOf(']') + 1))
            .findFirst()
            .orElseThrow());
    assertTrue(events.getLast().value().length() > 12, events.getLast().value());
  }

  private static SnippetEvent checked(JShell shell, SnippetEvent event) {
    if (event.exception() != null || event.status() != Snippet.Status.VALID) {
      throw new AssertionError(
          event.snippet().source()
              + " is "
              + event.status()
              + shell.diagnostics(event.snippet()).map(d -> d.getMessage(null)).toList(),
          event.exception());
    }
    return event;
  }
}
