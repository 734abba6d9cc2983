package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.patch.PromptPair;
import dev.resid.experiments.reproduce.PublishedTable;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.testing.Fuzz;
import dev.resid.testing.RewrittenFile;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.SpecialTokens;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Files that people write for commands, and files of runs, damaged at random and on purpose. */
class UserFilesFuzzTest {
  private static final List<String> WORDS =
      Fuzz.json(
          "\"text\":",
          "\"special\":",
          "\"clean\":",
          "\"answer\":",
          "\"settings\":",
          "\"started\":",
          "\"columns\":",
          "\"rows\":",
          "fact\t",
          "sae\t",
          "number\t",
          ";",
          "=",
          "*",
          "-",
          "\t",
          "\n",
          "\r");

  @TempDir private Path temporary;

  private static void fuzz(String name, Fuzz.Reader reader, String... sound) {
    Fuzz.ofText(name, WORDS, IOException.class, reader, sound).run().requireSearched(1);
  }

  @Test
  void linesOfText() throws IOException {
    ByteLevelBpe bytes = ByteLevelBpe.load(TinyModel.saveWithTokenizer(temporary, 1));
    TokenLines lines = new TokenLines(bytes, SpecialTokens.FORBID);
    fuzz(
        "lines of text",
        input -> {
          try {
            lines.convert(
                new BufferedReader(
                    new InputStreamReader(
                        new ByteArrayInputStream(input), StandardCharsets.UTF_8.newDecoder())),
                Path.of(Fuzz.NAME),
                line -> {});
          } catch (UncheckedIOException e) {
            throw e.getCause();
          }
        },
        "{\"text\": \"a cat\"}\n{\"text\": \"<|endoftext|>\", \"special\": true}\n");
  }

  @Test
  void pairsOfPrompts() throws IOException {
    Path file = Files.createDirectory(temporary.resolve("in")).resolve(Fuzz.NAME);
    try (RewrittenFile content = new RewrittenFile(file)) {
      fuzz(
          "pairs of prompts",
          input -> {
            content.write(input);
            PromptPair.read(file);
          },
          "{\"clean\": \"a\", \"corrupted\": \"b\", \"answer\": \" c\", \"against\": \" d\"}\n");
    }
  }

  @Test
  void recordsOfRuns() throws IOException {
    Path folder = Files.createDirectory(temporary.resolve(Fuzz.NAME));
    Path file = folder.resolve(RunRecord.FILE);
    Settings settings = new Settings().with("seed", 23).with("text", "a").with("ridge", 0.01);
    try (RewrittenFile content = new RewrittenFile(file)) {
      fuzz(
          "run.json",
          input -> {
            content.write(input);
            RunRecord.read(folder).toJson();
          },
          RunRecord.begin("sensitivity", settings, settings, "0/1").toJson());
    }
  }

  @Test
  void tablesOfResults() throws IOException {
    Path folder = Files.createDirectory(temporary.resolve(Fuzz.NAME));
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("name", Type.TEXT, "Which."),
                new Column("rows", Type.WHOLE, "How many."),
                new Column("kl", Type.NUMBER, "Nats.")));
    table.add("a", 3L, 0.5);
    try (RewrittenFile content = new RewrittenFile(folder.resolve("t.json"))) {
      fuzz(
          "table of results",
          input -> {
            content.write(input);
            ResultTable.read(folder, "t").toCsv();
          },
          table.toJson());
    }
  }

  /** What fuzzing found: null where a text belongs, and quoted control characters. */
  @Test
  void whatWasFoundIsRefusedInOneSentence() throws IOException {
    Settings none = new Settings();
    String record = RunRecord.begin("patch", none, none, "0/1").toJson();
    String started = record.replaceFirst("(\"started\" : )\"[^\"]*\"", "$1null");
    Files.writeString(temporary.resolve(RunRecord.FILE), started);
    assertRefused("\"started\" is missing or no text", () -> RunRecord.read(temporary));
    Files.writeString(
        temporary.resolve("t.json"), "{\"columns\": [{\"name\": null}], \"rows\": []}");
    assertRefused("\"name\" is missing or no text", () -> ResultTable.read(temporary, "t"));
    Path pairs = Files.writeString(temporary.resolve("pairs"), "{\"clean\": S\0}\n");
    assertRefused("line 1 is not JSON", () -> PromptPair.read(pairs));
  }

  private static void assertRefused(String part, Executable read) {
    String message = assertThrows(IOException.class, read).getMessage();
    assertTrue(message.contains(part), message);
    assertTrue(message.chars().allMatch(c -> c >= ' '), message);
  }

  @Test
  void tablesOfPublishedNumbers() throws IOException {
    String all;
    try (var in = PublishedTable.class.getResourceAsStream("published.tsv")) {
      all = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    String facts = all.lines().filter(l -> l.startsWith("fact")).reduce("", (a, b) -> a + b + "\n");
    String sae = all.lines().filter(l -> l.startsWith("sae")).findFirst().orElseThrow();
    String number =
        all.lines()
            .filter(l -> l.startsWith("number") && l.contains("\t" + sae.split("\t")[1] + "\t"))
            .findFirst()
            .orElse("");
    fuzz(
        "published numbers",
        input -> {
          try {
            PublishedTable.parse(new String(input, StandardCharsets.UTF_8), Fuzz.NAME);
          } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
          }
        },
        facts + sae + "\n" + number + "\n");
  }
}
