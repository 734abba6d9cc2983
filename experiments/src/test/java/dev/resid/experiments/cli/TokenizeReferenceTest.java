package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TokenizeReferenceTest {
  @TempDir private Path folder;

  @Test
  void theIdsOfOtherTokenizersTestSuitesComeOut() throws IOException {
    Path cases = Shared.require("data/tokenizer-goldens/gpt2-cases.jsonl");
    Path out = folder.resolve("ids.jsonl");
    CliRun run =
        CliRun.of(
            "tokenize",
            "--tokenizer",
            Shared.require("data/gpt2-tokenizer").toString(),
            "--jsonl",
            cases.toString(),
            "--out",
            out.toString());
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    JsonMapper json = new JsonMapper();
    List<JsonNode> expected = Files.readAllLines(cases).stream().map(json::readTree).toList();
    List<JsonNode> found = Files.readAllLines(out).stream().map(json::readTree).toList();
    assertEquals(expected.size(), found.size());
    IntStream.range(0, expected.size())
        .forEach(
            i ->
                assertEquals(
                    expected.get(i).get("ids"), found.get(i).get("ids"), "line " + (i + 1)));
  }
}
