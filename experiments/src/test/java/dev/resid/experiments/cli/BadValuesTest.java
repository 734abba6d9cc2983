package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Values that options cannot have, and files that cannot be read, in commands of every kind. */
class BadValuesTest {
  private static final String INPUT = " --model @model --tokens @rows --out @new";

  @TempDir private static Path folder;
  private Map<String, String> before;

  @BeforeAll
  static void write() throws IOException {
    TinyModel.saveWithTokenizer(folder.resolve("model"), 1);
    Files.writeString(folder.resolve("rows"), "[[1, 2, 3, 4], [5, 6, 7, 8]]");
    Files.writeString(folder.resolve("text.txt"), "some text");
    Files.createFile(folder.resolve("empty"));
  }

  @BeforeEach
  void list() {
    before = FolderListing.of(folder);
  }

  /** Runs a line in which {@code @NAME} stands for a file of the folder, and '' for nothing. */
  private static CliRun line(String words) {
    return CliRun.of(
        Stream.of(words.split(" "))
            .map(word -> word.equals("''") ? "" : word)
            .map(word -> word.startsWith("@") ? folder.resolve(word.substring(1)).toString() : word)
            .toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "run --model @model --tokens @rows --out ''; '--out'; an empty name is no file or folder",
        "run --model '' --tokens @rows --out @new; '--model'; an empty name",
        "loss --model @model --text ''; '--text'; an empty name",
        "train tokenizer --vocab-size 260 --text @text.txt --out ''; '--out'; an empty name",
        "sensitivity --out '' --model @model --tokens @rows; '--out'; an empty name",
        "run --threads 1000000; threads is 1000000; at most 4096",
        "run --precision \u001b[31m; --precision is \"?[31m\"; must be fp32 or tf32",
        "language lambada --quality ''; --quality is \"\"; must be",
        "sensitivity --pool 2; --pool is 2; must be at least 3",
        "sensitivity --ridge NaN; --ridge is NaN; a number of at least 0",
        "sensitivity --directions ,; --directions; names nothing",
        "sensitivity --directions isotropic,isotropic; --directions; twice",
        "sensitivity --row-length 8; --row-length is for --text; used as they are",
        "substitution --position -1; --position is -1; must be at least 0",
        "substitution --pool 0; --pool is 0; must be at least 3",
        "substitution --ridge -1; --ridge is -1.0; at least 0",
        "substitution --batch 0; --batch is 0; must be at least 1",
        "substitution --substitutes ,; --substitutes; names nothing",
        "substitution --ablate ,; --ablate; names nothing",
        "substitution --read kl,kl; --read; twice",
        "robustness --cosines 0.5,0.6; cosines are from 1 to -1; [0.5, 0.6]",
        "robustness --norms 0; norm ratios are; [0.0]",
        "robustness --sites ,; --sites; names nothing",
        "robustness --layers 0,0; --layers; twice",
        "robustness --batch 0; --batch is 0; must be at least 1",
        "language context --ranges 2,2; --ranges; twice",
        "feature --sae embedded:local-layer3-l0-11 --index 1 --examples 1000000; --examples is"
            + " 1000000; at most 10000"
      })
  void areWrongUsage(String words, String option, String rule) {
    boolean whole = words.contains("@");
    boolean cloze = words.startsWith("language lambada");
    String rest = cloze ? " --model @model --out @new" : INPUT;
    line(words + (whole ? "" : rest)).wrongUsage(option, rule);
    assertEquals(before, FolderListing.of(folder));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "tokenize --tokenizer @model --file @empty --out @new; empty is empty",
        "language lambada --model @model --data @model --out @new; model: could not be read",
        "run --model @model --tokens /dev/null --out @new; /dev/null, the file",
        "tensors /dev/null; /dev/null: is a pipe or a device, expected a file",
        "perturb --lengths 1 --site blocks.0.hook_resid_pre --direction /dev/zero --model @model"
            + " --tokens @rows --out @new; /dev/zero: is a pipe or a device"
      })
  void areRefused(String words, String rule) {
    line(words).refused(rule);
    assertEquals(before, FolderListing.of(folder));
  }

  static List<Unreadable> waysOfThisMachine() {
    return Unreadable.here();
  }

  /** A file of every kind of input, in each of the ways in which it cannot be read here. */
  @ParameterizedTest
  @MethodSource("waysOfThisMachine")
  void filesThatCannotBeReadAreNamed(Unreadable kind) throws IOException {
    Path bad = Files.writeString(Files.createDirectory(folder.resolve("bad")).resolve("file"), "x");
    Path copy = TinyModel.saveWithTokenizer(folder.resolve("bad/model"), 1);
    kind.make(bad);
    String rest = " --model @model --out @bad/new";
    try {
      line("run --tokens @bad/file" + rest).refused(bad.toString());
      line("sensitivity --text @bad/file" + rest).refused(bad.toString());
      line("language lambada --data @bad/file" + rest).refused(bad.toString());
      line("patch --pairs @bad/file" + rest).refused(bad.toString());
      line("loss --model @model --text @bad/file").refused(bad.toString());
      line("tokenize --tokenizer @model --file @bad/file").refused(bad.toString());
      line("tokenize --tokenizer @model --jsonl @bad/file").refused(bad.toString());
      line("train tokenizer --vocab-size 260 --out @bad/new --text @bad/file")
          .refused(bad.toString());
      line("tensors @bad/file").refused(bad.toString());
      line("sae info @bad/file").refused(bad.toString());
      for (String name : new String[] {"config.json", "model.safetensors", "tokenizer.json"}) {
        Path file = copy.resolve(name);
        byte[] sound = Files.readAllBytes(file);
        kind.make(file);
        line("generate --model @bad/model --prompt a --max-new 1").refused(copy.toString());
        Files.delete(file);
        Files.write(file, sound);
      }
    } finally {
      FolderListing.delete(folder.resolve("bad"));
    }
    assertEquals(before, FolderListing.of(folder));
  }
}
