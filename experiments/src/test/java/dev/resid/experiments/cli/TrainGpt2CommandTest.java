package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.result.FolderLock;
import dev.resid.io.FileHash;
import dev.resid.io.Safetensors;
import dev.resid.io.TensorInfo;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.SpecialTokens;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TrainGpt2CommandTest {
  /** A model so small that a step takes milliseconds. */
  private static final String SMALL =
      "--layers 1 --heads 2 --width 16 --context 16 --batch 4 --threads 1 --quiet";

  @TempDir private static Path shared;
  private static Path text;
  private static Path tokenizer;
  private static TrainingRuns runs;

  @TempDir private Path folder;

  @BeforeAll
  static void trainTokenizer() throws IOException {
    text = Files.writeString(shared.resolve("text.txt"), TrainingRuns.TEXT);
    tokenizer = shared.resolve("tokenizer");
    runs = TrainingRuns.of("train gpt2 " + SMALL, "--tokenizer", tokenizer, "--text", text);
    CliRun.line("train tokenizer --vocab-size 280 --out", tokenizer, "--text", text).ok();
  }

  private static CliRun train(Path out, String options, Object... more) {
    return runs.train(out, options, more);
  }

  @Test
  void aModelIsTrainedAndCanBeUsed() throws IOException {
    Path out = folder.resolve("new/model");
    assertEquals(
        "Wrote the model to " + out,
        train(out, "--steps 150 --learning-rate 0.01", "--valid", text).ok().out().strip());
    JsonNode loss =
        new JsonMapper()
            .readTree(CliRun.line("loss --json --model", out, "--text", text).ok().out());
    // Measured: 1.14 of 2.85 nats.
    double unigram = unigramNats();
    assertTrue(loss.path("natsPerToken").asDouble() < 0.6 * unigram, unigram + " " + loss);
    String said =
        CliRun.line("generate --max-new 8 --model", out, "--prompt", "The cat sat").ok().out();
    assertTrue(said.matches("The cat sat on (a|the) (mat|log).*\\R"), said);
    assertEquals(
        loss.path("bitsPerByte"),
        TrainingRuns.record(out).path("validation").path("all").path("bitsPerByte"));
    for (String name : List.of("vocab.json", "merges.txt", "tokenizer.json")) {
      assertArrayEquals(
          Files.readAllBytes(tokenizer.resolve(name)), Files.readAllBytes(out.resolve(name)));
    }
  }

  /** Returns the loss of a model that knows how often each token occurs, and no more. */
  private static double unigramNats() throws IOException {
    int[] ids = ByteLevelBpe.load(tokenizer).encodeToIds(TrainingRuns.TEXT, SpecialTokens.AS_TEXT);
    double nats = 0;
    for (int id : ids) {
      nats -= Math.log(Arrays.stream(ids).filter(each -> each == id).count() / (double) ids.length);
    }
    return nats / ids.length;
  }

  @Test
  void theRecordSaysWhatWasDone() throws IOException {
    Path out = folder.resolve("model");
    Instant before = Instant.now();
    train(out, "--steps 250 --warmup 7 --seed 5 --backend scalar --dtype bf16").ok();
    JsonNode record = TrainingRuns.record(out);
    assertEquals(
        "resid train gpt2 "
            + SMALL
            + " --steps 250 --warmup 7 --seed 5 --backend scalar --dtype bf16 --tokenizer "
            + tokenizer
            + " --text "
            + text
            + " --out "
            + out,
        record.path("command").asString());
    for (String part :
        List.of("nLayers=1", "dModel=16", "warmupSteps=7", "totalSteps=250", "seed=5")) {
      assertTrue(record.path("plan").asString().contains(part), record.path("plan")::asString);
    }
    assertTrue(record.path("backend").asString().startsWith("scalar"), record::toString);
    assertEquals(250 * 4 * 16, record.path("tokensSeen").asInt());
    assertEquals(
        "sha256:" + FileHash.sha256(text), record.path("data").path("text.txt").asString());
    assertEquals(
        "sha256:" + FileHash.sha256(tokenizer.resolve("merges.txt")),
        record.path("tokenizer").path("merges.txt").asString());
    assertEquals(
        "sha256:" + FileHash.sha256(out.resolve("model.safetensors")),
        record.path("weights").path("model.safetensors").asString());
    JsonNode curve = record.path("meanLossNatsPer100Steps");
    assertEquals(3, curve.size());
    assertTrue(curve.get(0).asDouble() > curve.get(2).asDouble() + 0.5, curve::toString);
    Instant started = Instant.parse(record.path("started").asString());
    Instant finished = Instant.parse(record.path("finished").asString());
    assertFalse(started.isBefore(before) || finished.isBefore(started), record::toString);
    assertTrue(record.path("validation").isMissingNode(), record::toString);
    JsonNode info = new JsonMapper().readTree(CliRun.line("info --json --model", out).ok().out());
    assertEquals(info.path("parameters"), record.path("parameters"));
    try (Safetensors file = Safetensors.open(out.resolve("model.safetensors"))) {
      for (TensorInfo tensor : file.entries()) {
        assertEquals("BF16", tensor.dtype().name(), tensor.name());
      }
    }
  }

  /** A process is killed in the middle; the same command then ends in the same bytes. */
  @Test
  void aKilledRunGoesOnToTheSameModel() throws IOException, InterruptedException {
    String options = "--steps 100 --checkpoint-every 1 --backend vector";
    Path whole = folder.resolve("whole");
    train(whole, options).ok();
    Path killed = folder.resolve("killed");
    long steps = runs.stepsWhenKilled(killed, options);
    assertTrue(steps > 0 && steps < 100, "killed after " + steps + " steps of 100");
    assertFalse(Files.exists(killed.resolve("model.safetensors")));
    train(killed, options).ok();
    for (String name : List.of("model.safetensors", "config.json", "tokenizer.json")) {
      assertArrayEquals(
          Files.readAllBytes(whole.resolve(name)), Files.readAllBytes(killed.resolve(name)), name);
    }
    assertEquals(
        TrainingRuns.record(whole).path("meanLossNatsPer100Steps"),
        TrainingRuns.record(killed).path("meanLossNatsPer100Steps"));
    assertEquals(
        List.of(
            "checkpoint",
            "config.json",
            "merges.txt",
            "model.safetensors",
            "tokenizer.json",
            "training.json",
            "vocab.json"),
        names(killed));
    assertEquals(
        List.of("previous.safetensors", "state.safetensors"), names(killed.resolve("checkpoint")));
  }

  private static List<String> names(Path dir) throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aFinishedRunAskedForAgainStaysTheSame() throws IOException {
    Path out = folder.resolve("model");
    train(out, "--steps 5").ok();
    byte[] bytes = Files.readAllBytes(out.resolve("model.safetensors"));
    train(out, "--steps 5").ok();
    assertArrayEquals(bytes, Files.readAllBytes(out.resolve("model.safetensors")));
  }

  @Test
  void everyBitOfACheckpointCounts() throws IOException {
    Path out = folder.resolve("model");
    train(out, "--steps 5").ok();
    runs.requireEveryBitCounts(out, "--steps 5", 8);
  }

  @Test
  void aDamagedCheckpointIsPassedOverForTheOneBefore() throws IOException {
    String options = "--steps 6 --checkpoint-every 2";
    runs.requireTheOneBeforeIsTakenUp(folder.resolve("model"), options);
  }

  @Test
  void whatFitsInNoMemoryIsRefusedBeforeAnythingIsMade() {
    Path out = folder.resolve("model");
    TrainingRuns huge =
        TrainingRuns.of("train gpt2 --context 16", "--tokenizer", tokenizer, "--text", text);
    huge.train(out, "--layers 2147483647").refused("the model would have", "RESID_JAVA_OPTS");
    huge.train(out, "--batch 2147483647").wrongUsage("--batch times --context is 34359738352");
    assertFalse(Files.exists(out));
  }

  @Test
  void theFolderOfAnotherCommandIsLeftAlone() throws IOException {
    Path out = Files.createDirectory(folder.resolve("study"));
    Files.writeString(out.resolve("run.json"), "{}");
    train(out, "--steps 5").refused(out.resolve("run.json") + " exists already");
  }

  @Test
  void aSecondProcessIsSentAway() throws IOException {
    Path out = folder.resolve("model");
    try (FolderLock _ = FolderLock.of(out, out.resolve("checkpoint"))) {
      train(out, "--steps 5").refused("another process is working in " + out);
      assertFalse(Files.exists(out.resolve("config.json")));
    }
    train(out, "--steps 5").ok();
  }

  @Test
  void aFolderOfAnotherRunIsLeftAlone() throws IOException {
    Path out = folder.resolve("model");
    train(out, "--steps 5").ok();
    byte[] bytes = Files.readAllBytes(out.resolve("model.safetensors"));
    train(out, "--steps 6").refused("state.safetensors", "another training run");
    Path other =
        Files.writeString(folder.resolve("other.txt"), TrainingRuns.TEXT.replace("cat", "cow"));
    train(out, "--steps 5", "--text", other).refused("state.safetensors", "another text");
    Files.delete(TrainingRuns.state(out));
    Files.delete(out.resolve("checkpoint"));
    train(out, "--steps 5").refused(out.resolve("config.json").toString(), "exists");
    assertArrayEquals(bytes, Files.readAllBytes(out.resolve("model.safetensors")));
  }

  @ParameterizedTest
  @CsvSource({
    "--layers 0, --layers is 0",
    "--heads -1, --heads is -1",
    "--heads 3, --width 16 is not a multiple of --heads 3",
    "--width 0, --width is 0",
    "--context 1, --context is 1",
    "--steps 0, --steps is 0",
    "--batch 0, --batch is 0",
    "--checkpoint-every 0, --checkpoint-every is 0",
    "--learning-rate 0, --learning-rate is 0.0",
    "--learning-rate NaN, --learning-rate is NaN",
    "--warmup -1, --warmup is -1",
    "--steps 9 --warmup 9, --warmup is 9",
    "--dtype f64, --dtype",
    "--seed one, --seed"
  })
  void optionsOutOfRangeAreWrongUsage(String options, String message) {
    Path out = folder.resolve("model");
    String[] pairs = SMALL.replace("--threads 1 --quiet", "").split(" (?=--)");
    StringBuilder others = new StringBuilder("train gpt2 " + options);
    for (String pair : pairs) {
      if (!options.contains(pair.split(" ")[0])) {
        others.append(' ').append(pair.strip());
      }
    }
    CliRun.line(others.toString(), "--tokenizer", tokenizer, "--text", text, "--out", out)
        .wrongUsage(message);
    assertFalse(Files.exists(out));
  }

  @Test
  void textThatCannotBeUsedIsRefusedBeforeTraining() throws IOException {
    Path out = folder.resolve("model");
    Path latin = Files.write(folder.resolve("latin"), "é".getBytes(StandardCharsets.ISO_8859_1));
    Path empty = Files.writeString(folder.resolve("empty"), "\n");
    Path missing = folder.resolve("missing");
    train(out, "--steps 5", "--text", latin).refused(latin.toString(), "UTF-8");
    train(out, "--steps 5", "--text", missing).refused(missing.toString());
    train(out, "--steps 5", "--valid", latin).refused(latin.toString(), "UTF-8");
    train(out, "--steps 5", "--valid", empty).refused(empty.toString(), "no text");
    train(out, "--steps 5", "--valid", missing).refused(missing.toString());
    CliRun.line("train gpt2 --steps 5 --tokenizer", tokenizer, "--text", empty, "--out", out)
        .refused("0 tokens", "one row of 256", "--context");
    assertFalse(Files.exists(out));
  }

  @Test
  void aPlaceThatCannotHoldAModelIsRefusedBeforeTraining() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "mine");
    train(file, "--steps 5").refused(file.toString(), "is a file");
    train(file.resolve("model"), "--steps 5").refused(file.toString(), "is a file");
    assertEquals("mine", Files.readString(file));
  }
}
