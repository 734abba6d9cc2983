package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.io.SafetensorsWriter;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Requests that a sound model cannot fulfil, in every command: one sentence that names what is
 * wrong and where, exit code 1 for bad data and 2 for wrong usage, and no file left behind.
 */
class BadRequestTest {
  @TempDir private Path folder;
  private Map<String, String> before;

  @BeforeEach
  void write() throws IOException {
    TinyModel.saveWithTokenizer(folder.resolve("model"), 1);
    Files.writeString(folder.resolve("tokens.json"), "[[1, 2, 3], [4, 5, 6]]");
    Files.writeString(folder.resolve("outside.json"), "[[1, 2, 3], [4, 257, 6]]");
    TinyLong.write(folder.resolve("long.json"), 25);
    Files.writeString(folder.resolve("text.txt"), "some text that is long enough for a row");
    Files.write(folder.resolve("latin.txt"), new byte[] {'a', (byte) 0xE9, 'b'});
    Files.createDirectory(folder.resolve("folder"));
    Files.writeString(Files.createDirectory(folder.resolve("full")).resolve("mine"), "mine");
    direction("direction", 0.5f);
    direction("nan", Float.NaN);
    before = FolderListing.of(folder);
  }

  private void direction(String name, float value) throws IOException {
    float[] values = new float[2 * 3 * 16];
    Arrays.fill(values, value);
    new SafetensorsWriter()
        .add(
            "direction",
            Tensor.wrap(Shape.of(Axis.BATCH, 2, Axis.POS, 3, Axis.D_MODEL, 16), values))
        .write(folder.resolve(name + ".safetensors"));
  }

  /** Rows of one length. */
  private static final class TinyLong {
    static void write(Path file, int length) throws IOException {
      Files.writeString(file, Arrays.toString(new String[] {Arrays.toString(new int[length])}));
    }
  }

  /** Runs a line in which {@code @NAME} stands for a file of the folder. */
  private CliRun line(String words) {
    return CliRun.of(
        Stream.of(words.split(" "))
            .map(word -> word.startsWith("@") ? folder.resolve(word.substring(1)).toString() : word)
            .toArray(String[]::new));
  }

  private void assertNothingChanged() {
    assertEquals(before, FolderListing.of(folder));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "run --out @new",
        "perturb --site blocks.0.hook_resid_pre --direction @direction.safetensors --lengths 1"
            + " --out @new",
        "gradients --out @new",
        "loss",
        "sensitivity --lengths 1 --out @new"
      })
  void tokensThatDoNotFitAreNamedWithFileAndPlace(String command) {
    String model = command + " --model @model --tokens ";
    line(model + "@outside.json")
        .refused(folder.resolve("outside.json") + ": ", "token 257 at row 1, position 1", "257");
    line(model + "@long.json")
        .refused(folder.resolve("long.json") + ": ", "row 0 has 25 tokens", "context is 24");
    line(model + "@missing.json").refused("there is no file or folder", "missing.json");
    line(model + "@folder").refused(folder.resolve("folder") + " is a folder");
    line(model + "@text.txt").refused(folder.resolve("text.txt").toString(), "not well-formed");
    assertNothingChanged();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "[[1, 2]; line 1 column; Unexpected end-of-input",
        "{}; the file; expected an array of rows",
        "[]; the file; there is no row",
        "[[1], []]; row 1; the row is empty",
        "[[1, -2]]; row 0 column 1; found -2",
        "[[1, 2.5]]; row 0 column 1; found the number 2.5",
        "[[1, \"a\"]]; row 0 column 1; found a string",
        "[[99999999999]]; row 0 column 0; found 99999999999",
        "[[1]] []; ; ",
      })
  void aDamagedTokenFileIsNamedWithThePlace(String content, String where, String rule)
      throws IOException {
    Path file = Files.writeString(folder.resolve("bad.json"), content);
    CliRun run = line("run --model @model --tokens @bad.json --out @new");
    run.refused(file.toString(), where == null ? "" : where, rule == null ? "" : rule);
    assertTrue(!run.err().contains("REDACTED"), run.err());
    Files.delete(file);
    assertNothingChanged();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "--capture blocks.0.hook_resid_prae; no activation is called",
        "--capture blocks.0.*prae; no activation matches",
        "--capture blocks.2.hook_resid_pre; blocks.2.hook_resid_pre does not exist: the model has"
            + " 2",
        "--capture blocks.99999999999.hook_resid_pre; no activation is called",
        "--capture blocks.-1.hook_resid_pre; no activation is called",
        "--backend abacus; no backend \"abacus\" here"
      })
  void whatTheModelLacksIsNamed(String options, String rule) {
    line("run --model @model --tokens @tokens.json --out @new " + options).refused(rule);
    assertNothingChanged();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "--site blocks.2.hook_resid_pre --direction @direction.safetensors; does not exist",
        "--site nowhere --direction @direction.safetensors; no activation is called \"nowhere\"",
        "--site blocks.0.attn.hook_pattern --direction @direction.safetensors; hook_pattern",
        "--site blocks.0.hook_resid_pre --direction @nan.safetensors; nan.safetensors",
        "--site blocks.0.hook_resid_pre --direction @model/model.safetensors; no such tensor",
        "--site blocks.0.hook_resid_pre --direction @missing; missing"
      })
  void aDirectionThatDoesNotFitIsRefused(String options, String rule) {
    line("perturb --model @model --tokens @tokens.json --lengths 1 --out @new " + options)
        .refused(rule);
    assertNothingChanged();
  }

  @Test
  void otherCommandsNameTheirFiles() {
    line("loss --model @model --text @latin.txt").refused("latin.txt", "UTF-8");
    line("loss --model @model --text @missing").refused("missing");
    line("loss --model @model --text @folder").refused("folder", ".txt");
    line("tokenize --tokenizer @model --file @folder").refused("folder is a folder");
    line("tokenize --tokenizer @model --jsonl @folder --out @new").refused("folder is a folder");
    line("tokenize --tokenizer @model --jsonl @text.txt --out @new").refused("text.txt, line 1");
    line("tokenize --tokenizer @folder text").refused("folder", "vocab.json");
    line("generate --model @model --prompt-ids 1,257 --max-new 1").refused("token 257");
    line("generate --model @model --prompt a --max-new 24").refused("context of 24");
    line("sensitivity --model @model --text @latin.txt --out @new").refused("latin.txt", "byte 1");
    line("sensitivity --model @model --text @folder --out @new").refused("folder is a folder");
    line("sensitivity --model @model --tokens @tokens.json --layer 2 --out @new")
        .refused("layer is 2, the model's are 0 to 1");
    line("merge @new @folder").refused("folder holds no run.json");
    assertNothingChanged();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "@folder; folder is a folder; name a file in it",
        "@no/such/file; there is no folder",
        "@text.txt/file; text.txt is a file"
      })
  void aFileThatCannotBeWrittenIsRefusedBeforeAnythingIsComputed(String out, String rule) {
    // The tokens are refused later: they are not looked at.
    line("run --model @model --tokens @outside.json --out " + out).refused(rule);
    line("gradients --model @model --tokens @outside.json --out " + out).refused(rule);
    assertNothingChanged();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {"@text.txt; text.txt is not a folder", "@full; holds other files (mine) and no run"})
  void aFolderThatIsNotARunsIsRefusedBeforeAnythingIsComputed(String out, String rule) {
    line("sensitivity --model @model --tokens @outside.json --out " + out).refused(rule);
    assertNothingChanged();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "frobnicate",
        "run",
        "run --tokens @tokens.json",
        "run --model @model --tokens @tokens.json --out @new extra",
        "run --model @model --tokens @tokens.json --out @new --unknown",
        "run --model @model --tokens @tokens.json --out @new --weights other",
        "run --model @model --tokens @tokens.json --out @new --threads 0",
        "run --model @model --tokens @tokens.json --out @new --threads two",
        "run --model @model --tokens @tokens.json --out @new --capture ,",
        "perturb --model @model --tokens @tokens.json --site hook_embed --out @new",
        "gradients --out @new",
        "loss --model @model",
        "loss --model @model --tokens @tokens.json --text @text.txt",
        "loss --model @model --tokens @tokens.json --row-length 8",
        "generate --model @model --prompt a",
        "generate --model @model --prompt a --max-new -1",
        "generate --model @model --prompt a --max-new 1 --top-p 2 --temperature 1",
        "generate --model @model --prompt-ids one --max-new 1",
        "tokenize text",
        "tensors",
        "info extra",
        "sensitivity --lengths 2,1 --out @new",
        "sensitivity --shard 3/2 --out @new",
        "merge @new",
        "train",
        "train tokenizer --out @new",
        "train gpt2 --out @new",
        "doctor extra"
      })
  void aLineThatCannotBeUnderstoodIsWrongUsage(String words) {
    CliRun run = words.isEmpty() ? CliRun.of() : line(words);
    assertEquals(ResidCommand.WRONG_USAGE, run.exitCode(), run.toString());
    assertTrue(run.err().startsWith("resid: "), run.err());
    assertTrue(run.err().strip().endsWith("--help'."), run.err());
    assertTrue(run.err().lines().count() <= 3, run.err());
    assertEquals("", run.out());
    assertNothingChanged();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "run --model @model --tokens @tokens.json --out /dev/full",
        "gradients --model @model --tokens @tokens.json --out /dev/full",
        "perturb --model @model --tokens @tokens.json --site blocks.0.hook_resid_pre --lengths 1"
            + " --direction @direction.safetensors --out /dev/full",
        "tokenize --tokenizer @model --file @text.txt --out /dev/full"
      })
  @EnabledOnOs(OS.LINUX)
  void aFullDiskIsCalledThat(String words) {
    line(words).refused("the disk is full", "/dev/full");
    assertNothingChanged();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tensors @direction.safetensors",
        "info --model @model",
        "loss --model @model --tokens @tokens.json",
        "tokenize --tokenizer @model --file @text.txt",
        "generate --model @model --prompt a --max-new 3",
        "--help"
      })
  @EnabledOnOs(OS.LINUX)
  void resultsThatCannotBePrintedAreAFailure(String words) throws IOException {
    StringWriter err = new StringWriter();
    try (FileOutputStream full = new FileOutputStream("/dev/full")) {
      int code =
          ResidCommand.execute(
              StandardOutput.writer(full, StandardCharsets.UTF_8),
              new PrintWriter(err),
              Stream.of(words.split(" "))
                  .map(w -> w.startsWith("@") ? folder.resolve(w.substring(1)).toString() : w)
                  .toArray(String[]::new));
      assertEquals(ResidCommand.FAILED, code, err.toString());
    }
    assertTrue(
        err.toString().startsWith("resid: cannot write to standard output: "), err::toString);
    assertEquals(1, err.toString().lines().count(), err::toString);
    assertNothingChanged();
  }
}
