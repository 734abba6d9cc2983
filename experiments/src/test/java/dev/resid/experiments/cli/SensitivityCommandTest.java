package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.random.CounterRandom;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SensitivityCommandTest {
  @TempDir private static Path shared;

  @TempDir private Path temporary;

  @BeforeAll
  static void makeModelAndTokens() throws IOException {
    Gpt2Config config = Gpt2Config.of(2, 2, 8, 30, 16);
    Gpt2Checkpoint.save(Gpt2Weights.random(config, 1), DType.F32, shared.resolve("model"));
    tokens(10, 30).writeJson(shared.resolve("tokens.json"));
    try (Backend backend = Backends.named("scalar", BackendOptions.defaults())) {
      SaeCheckpoint.save(
          SmallSaes.random(HookPoint.residPre(0), 8, 12, 5, backend),
          DType.F32,
          shared.resolve("sae"));
    }
  }

  @Test
  void itLeavesAReportAndSaysWhere() {
    Path out = temporary.resolve("out");
    CliRun run = sensitivity("--out", out.toString());
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    assertTrue(run.out().endsWith("Report: " + out.resolve("report.html") + "\n"), run.out());
    assertTrue(run.err().startsWith("10 rows (90 tokens), blocks.1.hook_resid_pre"), run.err());
    for (String file :
        List.of("results.csv", "run.json", "figures/fig2-kl-all-linear.svg", "report.html")) {
      assertTrue(Files.exists(out.resolve(file)), file);
    }
  }

  @Test
  void aSplitRunIsMergedToTheSameBytes() throws IOException {
    List<String> merge = new ArrayList<>(List.of("merge", temporary.resolve("all").toString()));
    for (int i = 0; i < 2; i++) {
      String out = temporary.resolve("part" + i).toString();
      CliRun part = sensitivity("--out", out, "--shard", i + "/2", "--quiet");
      assertEquals(ResidCommand.OK, part.exitCode(), part.err());
      assertEquals("", part.err());
      assertTrue(part.out().startsWith("This part is finished"), part.out());
      merge.add(out);
    }
    CliRun merged = CliRun.of(merge.toArray(String[]::new));
    assertEquals(ResidCommand.OK, merged.exitCode(), merged.err());
    Path whole = temporary.resolve("whole");
    sensitivity("--out", whole.toString(), "--quiet");
    for (String file : List.of("results.csv", "report.html")) {
      assertArrayEquals(
          Files.readAllBytes(whole.resolve(file)),
          Files.readAllBytes(temporary.resolve("all").resolve(file)),
          file);
    }
  }

  @Test
  void theFolderOfAnotherRunIsLeftAlone() throws IOException {
    Path out = temporary.resolve("out");
    sensitivity("--out", out.toString(), "--quiet");
    byte[] before = Files.readAllBytes(out.resolve("results.csv"));
    CliRun other = sensitivity("--out", out.toString(), "--seed", "5", "--quiet");
    assertFailure(other, "is the output folder of another run (seed is 5 here and 23 there)");
    assertArrayEquals(before, Files.readAllBytes(out.resolve("results.csv")));
  }

  @Test
  void whatCannotBeRunIsOneSentenceAndLeavesNothing() throws IOException {
    Path out = temporary.resolve("out");
    tokens(2, 31).writeJson(temporary.resolve("tokens.json"));
    String outside = temporary.resolve("tokens.json").toString();
    assertFailure(
        CliRun.of("sensitivity", "--model", model(), "--tokens", outside, "--out", out.toString()),
        "token 30 at row 0, position 1 is outside the vocabulary of 30");
    assertFailure(
        sensitivity("--out", out.toString(), "--layer", "2"), "layer is 2, the model's are 0 to 1");
    assertFailure(
        sensitivity("--out", out.toString(), "--rows", "11"),
        "tokens.json gives 10 rows, 11 were asked for");
    assertFailure(
        sensitivity(
            "--out",
            out.toString(),
            "--directions",
            "sae-error",
            "--sae",
            sae(),
            "--sae-weights",
            "raw",
            "--layer",
            "1"),
        "sae reads blocks.0.hook_resid_pre, but the activations that are changed are"
            + " blocks.1.hook_resid_pre; choose another --sae or --layer");
    assertFailure(
        CliRun.of("sensitivity", "--model", model(), "--text", "no.txt", "--out", out.toString()),
        "");
    assertFalse(Files.exists(out));
    assertFailure(CliRun.of("merge", out.toString(), temporary.toString()), "holds no run.json");
    assertFalse(Files.exists(out));
  }

  @Test
  void wrongOptionsAreWrongUsage() {
    for (String[] wrong :
        new String[][] {
          {"--shard", "2/2"},
          {"--lengths", "1,x"},
          {"--lengths", "2,1"},
          {"--directions", "sideways"},
          {"--rows", "0"},
          {"--row-length", "2"}
        }) {
      CliRun run = sensitivity(wrong);
      assertEquals(ResidCommand.WRONG_USAGE, run.exitCode(), String.join(" ", wrong));
      assertTrue(run.err().startsWith("resid: "), run.err());
    }
  }

  private static void assertFailure(CliRun run, String part) {
    assertEquals(ResidCommand.FAILED, run.exitCode(), run.err());
    assertEquals("", run.out());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().contains(part), run.err());
  }

  private static CliRun sensitivity(String... options) {
    List<String> line = new ArrayList<>(List.of("sensitivity", "--model", model()));
    line.addAll(List.of("--tokens", shared.resolve("tokens.json").toString()));
    if (!List.of(options).contains("--lengths")) {
      line.addAll(List.of("--lengths", "0.01,0.05"));
    }
    if (!List.of(options).contains("--directions")) {
      line.addAll(List.of("--directions", "isotropic"));
    }
    line.addAll(List.of("--threads", "2"));
    line.addAll(List.of(options));
    return CliRun.of(line.toArray(String[]::new));
  }

  private static String sae() {
    return shared.resolve("sae").toString();
  }

  private static String model() {
    return shared.resolve("model").toString();
  }

  /** Rows of nine tokens below a bound; the last token below it stands at row 0, position 1. */
  private static TokenBatch tokens(int rows, int bound) {
    CounterRandom random = new CounterRandom(2);
    int[][] ids = new int[rows][9];
    for (int row = 0; row < rows; row++) {
      for (int pos = 1; pos < 9; pos++) {
        ids[row][pos] = random.below(bound, row, pos, 0);
      }
    }
    ids[0][1] = bound - 1;
    return TokenBatch.of(ids);
  }
}
