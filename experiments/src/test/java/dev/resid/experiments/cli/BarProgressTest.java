package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.progress.Progress;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class BarProgressTest {
  @Test
  void theLastDrawingIsOfTheEndAndFitsTheTerminal() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Progress progress = new BarProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8), 70);
    try (Progress.Task task = progress.begin("training", "tokens", 40, 100)) {
      task.advanceTo(100);
      task.detail("loss 3.2");
    }
    String[] drawings = bytes.toString(StandardCharsets.UTF_8).split("[\r\n]+");
    String last = drawings[drawings.length - 1].stripTrailing();
    assertTrue(last.contains("100%"), last);
    assertTrue(last.contains("100/100 tokens"), last);
    assertTrue(last.length() < 70, last);
  }
}
