package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class LossCommandTest {
  private static final String FIRST = "Grüße aus Köln, 42 km vor 日本.\n";
  private static final String SECOND = "Second document.";

  @TempDir private Path folder;
  private Path model;

  @BeforeEach
  void save() throws IOException {
    model = TinyModel.saveWithTokenizer(folder.resolve("model"), 4);
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private JsonNode json(Object... more) {
    return new JsonMapper()
        .readTree(
            CliRun.line(
                    "loss --json",
                    Stream.concat(Stream.of("--model", model), Arrays.stream(more)).toArray())
                .ok()
                .out());
  }

  /** Returns the sum over the next tokens of rows, as the library computes it. */
  private double nats(String backendName, TokenBatch rows) throws IOException {
    try (Backend backend = Backends.named(backendName)) {
      PositionValues values = Gpt2.load(model, backend).crossEntropyNats(rows);
      double sum = 0;
      for (int row = 0; row < values.rows(); row++) {
        for (double value : values.row(row)) {
          sum += value;
        }
      }
      return sum;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void tokenRowsAreMeasuredAsTheyAre(String backendName) throws IOException {
    TokenBatch rows = TokenBatch.of(new int[] {3, 200, 7, 9}, new int[] {5}, new int[] {1, 2});
    Path tokens = folder.resolve("t.json");
    rows.writeJson(tokens);
    JsonNode found = json("--tokens", tokens, "--backend", backendName);
    assertEquals(4, found.path("tokens").asInt());
    assertEquals(3, found.path("rows").asInt());
    assertEquals(nats(backendName, rows) / 4, found.path("natsPerToken").asDouble(), 1e-12);
    assertTrue(found.path("bitsPerByte").isNull(), found::toString);
    assertTrue(found.path("utf8Bytes").isNull(), found::toString);
    assertEquals(5, found.size());
  }

  /** With one token a byte, text in rows of 10 is rows of 9 bytes after the end-of-text token. */
  @Test
  void everyByteOfTheTextIsPredictedOnce() throws IOException {
    Path text = write("text.txt", FIRST + "<|endoftext|>\n" + SECOND);
    JsonNode found = json("--row-length", 10, "--text", text, "--backend", "scalar");
    int first = FIRST.getBytes(StandardCharsets.UTF_8).length;
    int second = SECOND.length();
    assertEquals(first + second, found.path("utf8Bytes").asInt());
    assertEquals(first + second, found.path("tokens").asInt());
    assertEquals((first + 8) / 9 + (second + 8) / 9, found.path("rows").asInt());
    List<int[]> rows = new ArrayList<>();
    for (String document : List.of(FIRST, SECOND)) {
      int[] ids = TinyModel.ids(model, document);
      for (int from = 0; from < ids.length; from += 9) {
        int count = Math.min(9, ids.length - from);
        int[] row = new int[count + 1];
        row[0] = TinyModel.END;
        System.arraycopy(ids, from, row, 1, count);
        rows.add(row);
      }
    }
    double nats = nats("scalar", TokenBatch.of(rows));
    // Sums of some fifty numbers in another order.
    assertEquals(nats / (first + second), found.path("natsPerToken").asDouble(), 1e-12);
    assertEquals(
        nats / Math.log(2) / (first + second), found.path("bitsPerByte").asDouble(), 1e-12);
  }

  @Test
  void filesAndFoldersAreOneText() throws IOException {
    Path texts = Files.createDirectory(folder.resolve("texts"));
    Files.writeString(texts.resolve("a.txt"), FIRST);
    Files.writeString(texts.resolve("b.txt"), SECOND);
    Path both = write("both.txt", FIRST + "<|endoftext|>\n" + SECOND);
    JsonNode expected = json("--text", both);
    assertEquals(expected, json("--text", texts));
    assertEquals(expected, json("--text", texts.resolve("a.txt"), texts.resolve("b.txt")));
    assertEquals(
        expected, json("--text", texts.resolve("a.txt"), "--text", texts.resolve("b.txt")));
  }

  @Test
  void aPersonReadsTheSame() throws IOException {
    Path text = write("text.txt", SECOND);
    JsonNode expected = json("--text", text);
    assertEquals(
        List.of(
            "%.4f nats per token".formatted(expected.path("natsPerToken").asDouble()),
            "%.4f bits per UTF-8 byte".formatted(expected.path("bitsPerByte").asDouble()),
            "16 tokens predicted in 1 row"),
        CliRun.line("loss --model", model, "--text", text).ok().out().lines().toList());
    Path tokens = write("t.json", "[[1, 2], [3]]");
    List<String> lines =
        CliRun.line("loss --model", model, "--tokens", tokens).ok().out().lines().toList();
    assertEquals(2, lines.size(), lines::toString);
    assertEquals("1 token predicted in 2 rows", lines.get(1));
  }

  @Test
  void anEmptyTextIsRefused() throws IOException {
    Path empty = write("empty.txt", "\n<|endoftext|>\n \n");
    CliRun.line("loss --model", model, "--text", empty).refused(empty.toString(), "no text");
    CliRun.line("loss --model", model, "--text", empty, empty).refused("no text");
  }

  @Test
  void textThatIsNotUtf8IsRefused() throws IOException {
    Path latin =
        Files.write(folder.resolve("latin.txt"), "Grüße".getBytes(StandardCharsets.ISO_8859_1));
    CliRun.line("loss --model", model, "--text", latin)
        .refused(latin.toString(), "UTF-8", "convert");
  }

  @Test
  void filesThatAreNotThereAreNamed() {
    Path missing = folder.resolve("missing");
    CliRun.line("loss --model", model, "--text", missing).refused(missing.toString());
    CliRun.line("loss --model", model, "--tokens", missing).refused(missing.toString());
    CliRun.line("loss --model", missing, "--tokens", missing).refused(missing.toString());
  }

  @Test
  void rowsThatPredictNothingAreRefused() throws IOException {
    Path tokens = write("t.json", "[[1], [2]]");
    CliRun.line("loss --json --model", model, "--tokens", tokens)
        .refused(tokens.toString(), "no next token");
  }

  @Test
  void textNeedsATokenizerAndIdsDoNot() throws IOException {
    Path bare = TinyModel.save(folder.resolve("bare"), 4);
    Path text = write("text.txt", SECOND);
    CliRun.line("loss --model", bare, "--text", text).refused(bare.toString(), "no tokenizer");
    CliRun.line("loss --model", bare, "--tokens", write("t.json", "[[1, 2]]")).ok();
  }

  @Test
  void rowLengthsOutOfRangeAreSaid() throws IOException {
    Path text = write("text.txt", SECOND);
    CliRun.line("loss --row-length 1 --model", model, "--text", text).wrongUsage("--row-length");
    CliRun.line("loss --row-length 5 --model", model, "--tokens", text)
        .wrongUsage("--row-length", "--text");
    CliRun.line("loss --row-length 25 --model", model, "--text", text)
        .refused("--row-length is 25", "24");
  }

  @Test
  void thereIsOneInput() throws IOException {
    Path text = write("text.txt", SECOND);
    CliRun.line("loss --model", model).wrongUsage("--text", "--tokens");
    CliRun.line("loss --model", model, "--text", text, "--tokens", text)
        .wrongUsage("--text", "--tokens");
  }
}
