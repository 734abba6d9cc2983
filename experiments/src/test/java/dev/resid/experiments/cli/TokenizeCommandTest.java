package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tokenizer.BpeTrainer;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.SpecialTokens;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizeCommandTest {
  private static final String TEXT = "The cat sat on the mat; the rat sat on the cat. Thé";

  @TempDir private static Path vocabulary;
  private static ByteLevelBpe tokenizer;
  @TempDir private Path folder;

  @BeforeAll
  static void train() throws IOException {
    Path text = vocabulary.resolve("text.txt");
    Files.writeString(text, TEXT);
    tokenizer = new BpeTrainer(270).train(List.of(text));
    tokenizer.save(vocabulary);
  }

  @Test
  void theIdsOfATextArePrintedAsAnArray() {
    CliRun run = tokenize("the cat é");
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    assertEquals(Arrays.toString(tokenizer.encodeToIds("the cat é")), run.out().strip());
  }

  @Test
  void aFileIsOneTextAndATokenFileComesOut() throws IOException {
    Path in = Files.writeString(folder.resolve("in put.txt"), TEXT + "\n\n" + TEXT);
    Path out = folder.resolve("out.json");
    CliRun run = tokenize("--file", in.toString(), "--out", out.toString());
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    assertArrayEquals(tokenizer.encodeToIds(TEXT + "\n\n" + TEXT), TokenBatch.readJson(out).row(0));
  }

  @Test
  void everyLineOfJsonlGivesALine() throws IOException {
    Path in =
        Files.writeString(
            folder.resolve("in.jsonl"),
            """
            {"text": "the cat"}
            {"text": "the<|endoftext|>cat", "special": true, "source": ["ignored"]}
            {"text": "the<|endoftext|>cat", "special": false}
            {"text": "the<|endoftext|>cat"}
            {"text": ""}
            {"text": "\\ud83d\\ude00 \\n"}
            """);
    Path out = folder.resolve("out.jsonl");
    CliRun run = tokenize("--jsonl", in.toString(), "--out", out.toString());
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    assertEquals(
        List.of(
            line("the cat", SpecialTokens.FORBID),
            line("the<|endoftext|>cat", SpecialTokens.ALLOW),
            line("the<|endoftext|>cat", SpecialTokens.AS_TEXT),
            line("the<|endoftext|>cat", SpecialTokens.AS_TEXT),
            "{\"ids\": []}",
            line("😀 \n", SpecialTokens.FORBID)),
        Files.readAllLines(out));
    assertEquals(
        Files.readString(out),
        tokenize("--jsonl", in.toString()).out().replace("\r\n", "\n"),
        "without --out the lines are printed");
  }

  @Test
  void specialTextIsWhatTheOptionSays() {
    String text = "the<|endoftext|>";
    assertEquals(
        Arrays.toString(tokenizer.encodeToIds(text, SpecialTokens.ALLOW)),
        tokenize("--special", "allow", text).out().strip());
    assertEquals(
        Arrays.toString(tokenizer.encodeToIds(text, SpecialTokens.AS_TEXT)),
        tokenize(text).out().strip());
    CliRun refused = tokenize("--special", "forbid", text);
    assertEquals(ResidCommand.FAILED, refused.exitCode());
    assertTrue(refused.err().contains("<|endoftext|> at character 3"), refused.err());
  }

  @Test
  void aBadLineIsNamedAndNothingIsWritten() throws IOException {
    for (String bad :
        List.of(
            "{\"text\": 3}", "{}", "[]", "3", "", "{\"text\": \"a\", \"special\": 1}", "{\"te")) {
      Path in = Files.writeString(folder.resolve("in.jsonl"), "{\"text\": \"a\"}\n" + bad + "\n");
      Path out = folder.resolve("never.jsonl");
      CliRun run = tokenize("--jsonl", in.toString(), "--out", out.toString());
      assertAll(
          bad,
          () -> assertEquals(ResidCommand.FAILED, run.exitCode()),
          () -> assertTrue(run.err().startsWith("resid: " + in + ", line 2: "), run.err()),
          () -> assertEquals(1, run.err().lines().count(), run.err()),
          () -> assertFalse(Files.exists(out)));
    }
  }

  @Test
  void whatIsNotUtf8IsRefused() throws IOException {
    Path in = Files.write(folder.resolve("latin1.txt"), new byte[] {'a', (byte) 0xE9, 'b'});
    for (String option : List.of("--file", "--jsonl")) {
      CliRun run = tokenize(option, in.toString());
      assertEquals(ResidCommand.FAILED, run.exitCode());
      assertTrue(run.err().contains(in + " is not UTF-8"), run.err());
    }
  }

  @Test
  void exactlyOneSourceOfTextIsWanted() {
    assertEquals(ResidCommand.WRONG_USAGE, tokenize().exitCode());
    assertEquals(ResidCommand.WRONG_USAGE, tokenize("--file", "a", "--jsonl", "b").exitCode());
    assertEquals(ResidCommand.WRONG_USAGE, tokenize("--file", "a", "text").exitCode());
  }

  @Test
  void aFolderWithoutATokenizerIsNamed() {
    CliRun run = CliRun.of("tokenize", "--tokenizer", folder.toString(), "a");
    assertEquals(ResidCommand.FAILED, run.exitCode());
    assertTrue(run.err().contains(folder.toString()), run.err());
  }

  private static String line(String text, SpecialTokens special) {
    return "{\"ids\": " + Arrays.toString(tokenizer.encodeToIds(text, special)) + "}";
  }

  private static CliRun tokenize(String... args) {
    String[] all = new String[args.length + 3];
    all[0] = "tokenize";
    all[1] = "--tokenizer";
    all[2] = vocabulary.toString();
    System.arraycopy(args, 0, all, 3, args.length);
    return CliRun.of(all);
  }
}
