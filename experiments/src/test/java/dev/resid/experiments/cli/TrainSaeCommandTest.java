package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.result.FolderLock;
import dev.resid.hook.HookPoint;
import dev.resid.io.FileHash;
import dev.resid.io.Safetensors;
import dev.resid.model.WeightsState;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.io.SaeCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class TrainSaeCommandTest {
  /** A training whose steps take milliseconds. */
  private static final String SMALL = "--context 16 --batch 4 --features 24 --threads 1 --quiet";

  private static final String HOOK = "--hook blocks.1.hook_resid_pre ";

  @TempDir private static Path shared;
  private static Path text;
  private static Path model;
  private static TrainingRuns runs;

  @TempDir private Path folder;

  @BeforeAll
  static void saveModel() throws IOException {
    text = Files.writeString(shared.resolve("text.txt"), TrainingRuns.TEXT);
    model = TinyModel.saveWithTokenizer(shared.resolve("model"), 3);
    runs = TrainingRuns.of("train sae " + HOOK + SMALL, "--model", model, "--text", text);
  }

  private static CliRun train(Path out, String options, Object... more) {
    return runs.train(out, options, more);
  }

  @ParameterizedTest
  @CsvSource({
    "local, --sparsity 0.05, RELU, ADDED",
    "e2e, --sparsity 0.05, RELU, ADDED",
    "downstream, --sparsity 0.05, RELU, ADDED",
    "bloom, --sparsity 0.01, RELU, SUBTRACTED_AND_ADDED",
    "topk, --k 5, TOP_K, SUBTRACTED_AND_ADDED"
  })
  void everyObjectiveGivesAnSaeThatCanBeUsed(
      String objective, String sparsity, Architecture architecture, DecoderBias bias)
      throws IOException {
    Path out = folder.resolve("new/sae");
    String hook =
        objective.equals("downstream") ? "blocks.0.hook_resid_mid" : "blocks.1.hook_mlp_out";
    CliRun run =
        CliRun.line(
            "train sae --tokens 3000 --learning-rate 0.01 --objective " + objective,
            (Object[])
                ("--hook "
                        + hook
                        + " "
                        + SMALL
                        + " "
                        + sparsity
                        + " --model "
                        + model
                        + " --text "
                        + text
                        + " --out "
                        + out)
                    .split(" "));
    assertEquals("Wrote the SAE to " + out, run.ok().out().strip());
    try (SaeCheckpoint checkpoint = SaeCheckpoint.open(out)) {
      SaeConfig config = checkpoint.config();
      assertEquals(architecture, config.architecture());
      assertEquals(bias, config.decoderBias());
      assertEquals(HookPoint.parse(hook), config.point());
      assertEquals(Optional.of(WeightsState.RAW), config.weights());
      assertEquals(OptionalInt.of(16), config.provenance().contextLength());
      assertEquals(24, config.dSae());
      assertEquals(Optional.of("model"), config.provenance().model());
    }
    JsonNode curve = TrainingRuns.record(out).path("curve").path("loss");
    assertTrue(curve.size() > 20, curve::toString);
    double first = curve.get(0).asDouble();
    double last = curve.get(curve.size() - 1).asDouble();
    assertTrue(last < 0.9 * first, objective + ": " + curve);
  }

  @Test
  void theRecordSaysWhatWasDone() throws IOException {
    Path out = folder.resolve("sae");
    String options = "--objective topk --k 3 --tokens 640 --seed 5 --dtype f16 --dead-after 99";
    train(out, options).ok();
    JsonNode record = TrainingRuns.record(out);
    assertEquals(
        "resid train sae "
            + HOOK
            + SMALL
            + " "
            + options
            + " --model "
            + model
            + " --text "
            + text
            + " --out "
            + out,
        record.path("command").asString());
    for (String part :
        List.of("k=3", "deadAfterTokens=99", "totalSteps=10", "seed=5", "warmupSteps=0")) {
      assertTrue(record.path("plan").asString().contains(part), record.path("plan")::asString);
    }
    assertEquals(640, record.path("tokensSeen").asInt());
    assertEquals(
        "sha256:" + FileHash.sha256(text), record.path("data").path("text.txt").asString());
    assertEquals(
        FileHash.sha256(model.resolve("model.safetensors")), record.path("modelSha256").asString());
    assertEquals(10, record.path("curve").path("l0").size());
    try (Safetensors file = Safetensors.open(out.resolve("sae_weights.safetensors"))) {
      assertEquals("F16", file.entry("W_dec").dtype().name());
    }
  }

  /** A process is killed in the middle; the same command then ends in the same bytes. */
  @Test
  void aKilledRunGoesOnToTheSameSae() throws IOException, InterruptedException {
    String options =
        "--objective e2e --sparsity 0.1 --tokens 6400 --checkpoint-every 1 --backend vector";
    Path whole = folder.resolve("a/sae");
    train(whole, options).ok();
    Path killed = folder.resolve("b/sae");
    Files.createDirectories(killed);
    long steps = runs.stepsWhenKilled(killed, options);
    assertTrue(steps > 0 && steps < 100, "killed after " + steps + " steps of 100");
    assertFalse(Files.exists(killed.resolve("sae_weights.safetensors")));
    train(killed, options).ok();
    for (String name : List.of("sae_weights.safetensors", "cfg.json")) {
      assertArrayEquals(
          Files.readAllBytes(whole.resolve(name)), Files.readAllBytes(killed.resolve(name)), name);
    }
    assertEquals(
        TrainingRuns.record(whole).path("curve"), TrainingRuns.record(killed).path("curve"));
  }

  @Test
  void aFolderOfAnotherRunIsLeftAlone() throws IOException {
    Path out = folder.resolve("sae");
    String options = "--objective local --sparsity 0.1 --tokens 640";
    train(out, options).ok();
    byte[] bytes = Files.readAllBytes(out.resolve("sae_weights.safetensors"));
    train(out, options).ok();
    train(out, options + " --seed 2").refused("state.safetensors", "another training run");
    Path other =
        Files.writeString(folder.resolve("other.txt"), TrainingRuns.TEXT.replace("cat", "cow"));
    train(out, options, "--text", other).refused("state.safetensors", "another text");
    Path otherModel = TinyModel.saveWithTokenizer(folder.resolve("model"), 4);
    CliRun.line(
            "train sae " + HOOK + SMALL + " " + options,
            "--model",
            otherModel,
            "--text",
            text,
            "--out",
            out)
        .refused("state.safetensors", "another model");
    Files.delete(TrainingRuns.state(out));
    Files.delete(out.resolve("checkpoint"));
    train(out, options).refused(out.resolve("cfg.json").toString(), "exists");
    assertArrayEquals(bytes, Files.readAllBytes(out.resolve("sae_weights.safetensors")));
  }

  @Test
  void everyBitOfACheckpointCounts() throws IOException {
    Path out = folder.resolve("sae");
    String options = "--objective local --sparsity 0.1 --tokens 640";
    train(out, options).ok();
    runs.requireEveryBitCounts(out, options, 7);
  }

  @Test
  void aDamagedCheckpointIsPassedOverForTheOneBefore() throws IOException {
    String options = "--objective local --sparsity 0.1 --tokens 640 --checkpoint-every 4";
    runs.requireTheOneBeforeIsTakenUp(folder.resolve("sae"), options);
  }

  @Test
  void whatFitsInNoMemoryIsRefusedBeforeAnythingIsMade() {
    Path out = folder.resolve("sae");
    String line =
        "train sae --objective local --sparsity 1 --context 16 --tokens 640 " + HOOK.strip();
    TrainingRuns huge = TrainingRuns.of(line, "--model", model, "--text", text);
    huge.train(out, "--features 2147483647")
        .refused("the SAE would have 6.87e+10 parameters", "RESID_JAVA_OPTS");
    huge.train(out, "--batch 2147483647")
        .wrongUsage("--batch times --context is 34359738352, must be at most");
    assertFalse(Files.exists(out));
  }

  @Test
  void aSecondProcessIsSentAway() throws IOException {
    Path out = folder.resolve("sae");
    String options = "--objective local --sparsity 0.1 --tokens 640";
    try (FolderLock _ = FolderLock.of(out, out.resolve("checkpoint"))) {
      train(out, options).refused("another process is working in " + out);
      assertFalse(Files.exists(out.resolve("cfg.json")));
    }
    train(out, options).ok();
  }

  @ParameterizedTest
  @CsvSource({
    "--objective best --sparsity 1, --objective",
    "--objective local, --objective local needs --sparsity",
    "--objective local --k 3, --objective local needs --sparsity",
    "--objective topk, --objective topk needs --k",
    "--objective topk --k 3 --sparsity 1, --objective topk needs --k",
    "--objective topk --k 25, '--k is 25, must be from 1 to the number of features, 24'",
    "--objective local --sparsity -1, --sparsity is -1.0",
    "--objective local --sparsity NaN, --sparsity is NaN",
    "--objective local --sparsity 1 --tokens 0, --tokens is 0",
    "--objective local --sparsity 1 --learning-rate 0, --learning-rate is 0.0",
    "--objective local --sparsity 1 --checkpoint-every 0, --checkpoint-every is 0",
    "--objective local --sparsity 1 --tokens 640 --warmup 10, --warmup is 10",
    "--objective local --sparsity 1 --buffer 0, --buffer is 0",
    "--objective local --sparsity 1 --buffer 2147483647, --buffer times --context is 34359738352",
    "--objective bloom --sparsity 1 --dead-after 0, --dead-after is 0",
    "--objective downstream --sparsity 1, --objective downstream needs a block after"
  })
  void optionsOutOfRangeAreWrongUsage(String options, String message) {
    Path out = folder.resolve("sae");
    train(out, options).wrongUsage(message);
    assertFalse(Files.exists(out));
  }

  @ParameterizedTest
  @CsvSource({
    "blocks.2.hook_resid_pre, the model has 2 blocks",
    "blocks.0.attn.hook_z, must be an activation of width d_model",
    "hook_embed, must be an activation of width d_model",
    "blocks.0.nowhere, no activation is called"
  })
  void aHookThatCannotBeTrainedOnIsWrongUsage(String hook, String message) {
    CliRun.line(
            "train sae --objective local --sparsity 1 --context 16 --hook " + hook,
            "--model",
            model,
            "--text",
            text,
            "--out",
            folder.resolve("sae"))
        .wrongUsage(message);
  }

  @Test
  void textThatCannotBeUsedIsRefusedBeforeTraining() throws IOException {
    Path out = folder.resolve("sae");
    String options = "--objective local --sparsity 1";
    Path empty = Files.writeString(folder.resolve("empty"), "\n");
    Path missing = folder.resolve("missing");
    train(out, options, "--text", missing).refused(missing.toString());
    CliRun.line(
            "train sae --hook blocks.1.hook_resid_pre --context 16 " + options,
            "--model",
            model,
            "--text",
            empty,
            "--out",
            out)
        .refused("0 tokens", "one row of 16", "--context");
    assertFalse(Files.exists(out));
  }
}
