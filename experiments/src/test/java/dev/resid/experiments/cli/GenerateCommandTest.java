package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.model.Sampling;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GenerateCommandTest {
  @TempDir private Path folder;

  private static String printed(int... ids) {
    return Arrays.stream(ids).mapToObj(String::valueOf).collect(Collectors.joining(" ")) + "\n";
  }

  private static String lines(String text) {
    return text.replace("\r\n", "\n");
  }

  /** Saves a model that says this text after its last byte, over and over. */
  private Path reciter(String text) throws IOException {
    Path tokenizer = TinyModel.saveWithTokenizer(folder.resolve("tokenizer"), 1);
    return TinyModel.saveReciter(folder.resolve("reciter"), TinyModel.ids(tokenizer, text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void idsAreThoseOfTheLibrary(String backendName) throws IOException {
    Path model = TinyModel.save(folder, 5);
    String line = "generate --ids --max-new 12 --prompt-ids 7,200,31 --backend " + backendName;
    try (Backend backend = Backends.named(backendName)) {
      Gpt2 gpt2 = Gpt2.load(model, backend);
      int[] prompt = {7, 200, 31};
      assertEquals(
          printed(gpt2.generator(Sampling.greedy()).generate(prompt, 12)),
          lines(CliRun.line(line + " --model", model).ok().out()));
      assertEquals(
          printed(gpt2.generator(new Sampling(1.5, 50, 0.9, 77)).generate(prompt, 12)),
          lines(
              CliRun.line(
                      line + " --temperature 1.5 --top-k 50 --top-p 0.9 --seed 77 --model", model)
                  .ok()
                  .out()));
    }
  }

  @Test
  void aSeedRepeatsAndAnotherOneDiffers() throws IOException {
    Path model = TinyModel.save(folder, 6);
    Set<String> texts = new HashSet<>();
    for (int repetition = 0; repetition < 2; repetition++) {
      for (int seed = 0; seed < 4; seed++) {
        texts.add(
            CliRun.line(
                    "generate --ids --max-new 15 --prompt-ids 1 --temperature 2 --seed",
                    seed,
                    "--model",
                    model)
                .ok()
                .out());
      }
    }
    assertEquals(4, texts.size(), texts::toString);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--temperature 0 --seed 9",
        "--temperature 1 --top-k 1",
        "--temperature 3 --top-p 1e-9",
        "--temperature 1e-9"
      })
  void whatLeavesOneTokenOnlyTakesTheMostProbable(String options) throws IOException {
    Path model = TinyModel.save(folder, 7);
    String line = "generate --ids --max-new 15 --prompt-ids 1,2";
    String greedy = CliRun.line(line + " --model", model).ok().out();
    assertEquals(greedy, CliRun.line(line + " " + options + " --model", model).ok().out());
  }

  @Test
  void textGoesOnFromItsPrompt() throws IOException {
    Path model = reciter("abcdefgh");
    assertEquals(
        "see a: cdefgha\n",
        lines(
            CliRun.line("generate --max-new 5 --model", model, "--prompt", "see a: cd")
                .ok()
                .out()));
    assertEquals(
        "see a: cd\n",
        lines(
            CliRun.line("generate --max-new 0 --model", model, "--prompt", "see a: cd")
                .ok()
                .out()));
  }

  @Test
  void aSpecialTokenWrittenInThePromptIsText() throws IOException {
    Path model = reciter("abcd");
    assertEquals(
        "<|endoftext|>abcd\n",
        lines(
            CliRun.line("generate --max-new 3 --model", model, "--prompt", "<|endoftext|>a")
                .ok()
                .out()));
  }

  @Test
  void idsAreContinuedByText() throws IOException {
    Path model = reciter("abcdefgh");
    assertEquals(
        "bcd\n",
        lines(
            CliRun.line(
                    "generate --max-new 3 --model",
                    model,
                    "--prompt-ids",
                    TinyModel.ids(model, "a")[0])
                .ok()
                .out()));
  }

  @Test
  void theEndOfTextEndsItAndIsNotPrinted() throws IOException {
    Path tokenizer = TinyModel.saveWithTokenizer(folder.resolve("tokenizer"), 1);
    int[] ab = TinyModel.ids(tokenizer, "ab");
    Path model =
        TinyModel.saveReciter(folder.resolve("model"), ab[0], ab[1], TinyModel.END, ab[1] + 1);
    assertEquals(
        "-ab\n", lines(CliRun.line("generate --max-new 9 --prompt -a --model", model).ok().out()));
    assertEquals(
        printed(ab[1]),
        lines(CliRun.line("generate --ids --max-new 9 --prompt -a --model", model).ok().out()));
  }

  /** Every piece of text that reaches the reader is made of whole characters. */
  @Test
  void charactersOfSeveralTokensArriveWhole() throws IOException {
    String text = "é日🙂"; // 2, 3 and 4 bytes, all different
    Path model = reciter(text);
    List<String> pieces = new ArrayList<>();
    StringWriter err = new StringWriter();
    int code =
        ResidCommand.execute(
            new PrintWriter(new Pieces(pieces)),
            new PrintWriter(err),
            "generate",
            "--model",
            model.toString(),
            "--prompt",
            "🙂",
            "--max-new",
            "20");
    assertEquals(ResidCommand.OK, code, err::toString);
    assertEquals("🙂" + text + text + "é", lines(String.join("", pieces)).strip());
    assertTrue(pieces.size() > 5, "arrives in pieces: " + pieces);
    for (String piece : pieces) {
      assertFalse(piece.contains("\ufffd"), "half a character in " + pieces);
      byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
      assertEquals(piece, new String(bytes, StandardCharsets.UTF_8), "half a surrogate pair");
    }
  }

  @Test
  void aCharacterThatIsNotFinishedIsMarked() throws IOException {
    Path model = reciter("é日🙂");
    assertEquals(
        "é日\ufffd\n",
        lines(CliRun.line("generate --max-new 6 --prompt é --model", model).ok().out()));
  }

  /** Keeps what was written between two flushes together. */
  private static final class Pieces extends Writer {
    private final List<String> pieces;
    private final StringBuilder piece = new StringBuilder();

    private Pieces(List<String> pieces) {
      this.pieces = pieces;
    }

    @Override
    public void write(char[] characters, int offset, int length) {
      piece.append(characters, offset, length);
    }

    @Override
    public void flush() {
      if (!piece.isEmpty()) {
        pieces.add(piece.toString());
        piece.setLength(0);
      }
    }

    @Override
    public void close() {}
  }

  @ParameterizedTest
  @CsvSource({
    "--temperature -1, --temperature is -1.0",
    "--temperature NaN, --temperature is NaN",
    "--temperature Infinity, --temperature is Infinity",
    "--temperature 1 --top-k 0, --top-k is 0",
    "--temperature 1 --top-p 0, --top-p is 0.0",
    "--temperature 1 --top-p 1.5, --top-p is 1.5",
    "--temperature warm, --temperature",
    "--top-k 5, add --temperature 1",
    "--top-p 0.5, add --temperature 1",
    "--max-new -1, --max-new",
    "--seed x, --seed"
  })
  void optionsOutOfRangeAreWrongUsage(String options, String message) throws IOException {
    String line = "generate --ids --prompt-ids 1 " + options;
    if (!options.contains("--max-new")) {
      line += " --max-new 3";
    }
    CliRun.line(line + " --model", TinyModel.save(folder, 1)).wrongUsage(message);
  }

  @Test
  void exactlyOnePromptIsNeeded() throws IOException {
    Path model = TinyModel.saveWithTokenizer(folder, 1);
    CliRun.line("generate --max-new 3 --model", model).wrongUsage("--prompt", "--prompt-ids");
    CliRun.line("generate --max-new 3 --prompt a --prompt-ids 1 --model", model)
        .wrongUsage("--prompt", "--prompt-ids");
    for (String ids : List.of("", "1,", "a", "1,-2", "99999999999")) {
      CliRun.line("generate --max-new 3 --model", model, "--prompt-ids", ids)
          .wrongUsage("--prompt-ids");
    }
  }

  @Test
  void anEmptyPromptIsRefused() throws IOException {
    Path model = TinyModel.saveWithTokenizer(folder, 1);
    CliRun.line("generate --max-new 3 --model", model, "--prompt", "").refused("prompt is empty");
  }

  @Test
  void moreThanTheContextIsRefusedAndNothingPrinted() throws IOException {
    Path model = TinyModel.saveWithTokenizer(folder, 1);
    CliRun.line("generate --max-new 20 --prompt hello --model", model)
        .refused("5 tokens", "20 new", "context of 24", "at most 19");
    CliRun.line("generate --max-new 0 --model", model, "--prompt", "a".repeat(25))
        .refused("context of 24");
    CliRun.line("generate --max-new 1 --prompt-ids 257 --ids --model", model)
        .refused("token 257", "vocabulary of 257");
  }

  @Test
  void withoutATokenizerThereAreOnlyIds() throws IOException {
    Path model = TinyModel.save(folder, 1);
    CliRun.line("generate --max-new 3 --prompt a --model", model)
        .refused(model.toString(), "no tokenizer");
    CliRun.line("generate --max-new 3 --prompt-ids 1 --model", model)
        .refused(model.toString(), "no tokenizer", "--ids");
    assertNotEquals(
        "", CliRun.line("generate --max-new 3 --prompt-ids 1 --ids --model", model).ok().out());
  }
}
