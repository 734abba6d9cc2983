package dev.resid.sae.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The calls of docs/from-python.md compile and run as they stand there. */
class FromPythonTest {
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  @Test
  void everyJavaCallOfTheTablesIsInTheExample() throws IOException {
    Path root = Path.of("").toAbsolutePath().getParent();
    String example =
        squeeze(
            Files.readString(
                root.resolve("sae/src/test/java/dev/resid/sae/examples/FromPythonExample.java")));
    List<String> missing = new ArrayList<>();
    int calls = 0;
    for (String line : Files.readAllLines(root.resolve("docs/from-python.md"))) {
      // A | inside code is written \| in a table.
      String[] cells = line.replace("\\|", "\u0000").split("\\|");
      if (!line.startsWith("| ") || cells.length < 3) {
        continue;
      }
      Matcher code = CODE.matcher(cells[2].replace('\u0000', '|'));
      while (code.find()) {
        String call = code.group(1);
        if (call.contains("(")) {
          calls++;
          if (!example.contains(squeeze(call))) {
            missing.add(call);
          }
        }
      }
    }
    assertEquals(List.of(), missing);
    assertTrue(calls > 50, "only " + calls + " calls found");
  }

  private static String squeeze(String code) {
    return code.replaceAll("\\s+", "");
  }

  @Test
  void theCallsRun(@TempDir Path folder) throws IOException {
    try (Backend backend = Backends.named("vector")) {
      assertTrue(FromPythonExample.running(backend) > 0);
      assertTrue(FromPythonExample.analysing(backend) > 0);
      assertTrue(FromPythonExample.tensors(backend) > 0);
      Gpt2 gpt2 = Gpt2.embedded(backend);
      var sae = EmbeddedSaes.ofLibrary().load("local-layer3-l0-30", backend);
      var tokens = gpt2.tokenizer().encode("The captain looked at the sea.");
      assertTrue(FromPythonExample.saes(gpt2, sae, tokens, folder) > 0);
    }
    assertTrue(Files.exists(folder.resolve("x.npz")));
  }
}
