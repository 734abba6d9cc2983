package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlateauCommandTest {
  private static final int D = 8;
  private static final int FEATURES = 150;

  @TempDir private static Path shared;

  @TempDir private Path temporary;

  @BeforeAll
  static void makeModelTokensAndSae() throws IOException {
    Gpt2Config config = Gpt2Config.of(2, 2, D, 30, 16);
    Gpt2Checkpoint.save(Gpt2Weights.random(config, 1), DType.F32, shared.resolve("model"));
    CounterRandom random = new CounterRandom(2);
    int[][] ids = new int[20][5];
    for (int row = 0; row < 20; row++) {
      for (int pos = 0; pos < 5; pos++) {
        ids[row][pos] = random.below(30, row, pos, 0);
      }
    }
    TokenBatch.of(ids).writeJson(shared.resolve("tokens.json"));
    Map<SaeWeight, Tensor> tensors = new EnumMap<>(SaeWeight.class);
    for (SaeWeight weight :
        List.of(SaeWeight.W_enc, SaeWeight.b_enc, SaeWeight.W_dec, SaeWeight.b_dec)) {
      float[] values = new float[(int) weight.shape(D, FEATURES, D).elements()];
      random.fillNormal(weight.ordinal(), 0, values);
      tensors.put(weight, Tensor.wrap(weight.shape(D, FEATURES, D), values));
    }
    HookPoint point = HookPoint.residPre(1);
    SaeConfig facts =
        new SaeConfig(
            "random",
            Architecture.RELU,
            D,
            FEATURES,
            D,
            OptionalInt.empty(),
            SaeConfig.TopKScale.PLAIN,
            Normalization.NONE,
            1,
            DecoderBias.ADDED,
            point,
            point,
            Optional.empty(),
            SaeConfig.Provenance.UNKNOWN);
    SaeCheckpoint.save(facts, new SaeWeights(tensors), DType.F32, shared.resolve("sae"));
  }

  @Test
  void itSaysTheCostAndLeavesAReport() throws IOException {
    Path out = temporary.resolve("out");
    CliRun run = plateau("--out", out.toString(), "--regime", "relative", "--threshold", "0.01");
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    assertTrue(run.out().endsWith("Report: " + out.resolve("report.html") + "\n"), run.out());
    assertTrue(run.err().startsWith("9 of 20 prompts of 5 tokens, blocks.1.hook_res"), run.err());
    assertTrue(
        run.err().lines().findFirst().orElse("").matches(".*; about \\d+ (seconds?|minutes)\\."));
    for (String file :
        List.of(
            "steps.csv",
            "curves.csv",
            "prompts.csv",
            "findings.csv",
            "statistics.csv",
            "run.json",
            "figures/fig2-ms-l2-relative.svg",
            "figures/fig3-plateaus.png",
            "report.html")) {
      assertTrue(Files.exists(out.resolve(file)), file);
    }
    assertFalse(Files.exists(out.resolve("figures/fig2-ms-l2-absolute.svg")));
    String steps = Files.readString(out.resolve("steps.csv"));
    assertTrue(steps.contains("target,random,relative,ms_kl,"), steps);
    assertFalse(steps.contains("synthetic"), "there is no SAE");
  }

  @Test
  void withAnSaeASplitRunIsMergedToTheSameBytes() throws IOException {
    String[] sae = {
      "--sae",
      sae(),
      "--sae-weights",
      "raw",
      "--regime",
      "absolute",
      "--quiet",
      "--replacements",
      "in-place",
      "--density-pool",
      "0.1",
      "--feature-value",
      "mean-norm",
      "--draft-statistics",
      "ms_js,nl_l2_draft"
    };
    List<String> merge = new ArrayList<>(List.of("merge", temporary.resolve("all").toString()));
    for (int i = 0; i < 2; i++) {
      String out = temporary.resolve("part" + i).toString();
      CliRun part = plateau(sae, "--out", out, "--shard", i + "/2");
      assertEquals(ResidCommand.OK, part.exitCode(), part.err());
      assertTrue(part.out().startsWith("This part is finished"), part.out());
      merge.add(out);
    }
    CliRun merged = CliRun.of(merge.toArray(String[]::new));
    assertEquals(ResidCommand.OK, merged.exitCode(), merged.err());
    Path whole = temporary.resolve("whole");
    plateau(sae, "--out", whole.toString());
    for (String file : List.of("steps.csv", "prompts.csv", "report.html")) {
      assertArrayEquals(
          Files.readAllBytes(whole.resolve(file)),
          Files.readAllBytes(temporary.resolve("all").resolve(file)),
          file);
    }
    String steps = Files.readString(whole.resolve("steps.csv"));
    for (String kind : List.of("single-feature", "bag-of-features", "synthetic-structured")) {
      assertTrue(steps.contains("target," + kind + ",absolute,ms_l2,"), kind);
    }
    assertTrue(steps.contains("base,synthetic-baseline,absolute,ap_l2,"), steps);
    assertTrue(steps.contains("target,random,absolute,ms_js,"), steps);
    String statistics = Files.readString(whole.resolve("statistics.csv"));
    assertTrue(statistics.contains("mean_feature_norm,"), statistics);
    String page = Files.readString(whole.resolve("report.html"));
    assertTrue(page.contains("is lost.") && page.contains("differs by less than 0.1"), "variants");
  }

  @Test
  void theEmbeddedModelNeedsNoOptionForItsPrompts() {
    CliRun run =
        CliRun.of(
            "plateau",
            "--prompts",
            "3000",
            "--targets",
            "random",
            "--bases",
            "none",
            "--out",
            temporary.resolve("out").toString());
    run.refused("3000 base prompts of ", "use more text or a smaller --prompts");
  }

  @Test
  void whatCannotBeRunIsOneSentenceAndLeavesNothing() {
    String out = temporary.resolve("out").toString();
    plateau("--out", out, "--layer", "2").refused("layer is 2, the model's are 0 to 1");
    plateau("--out", out, "--targets", "single-feature")
        .refused("single-feature needs an SAE; name one with --sae");
    plateau("--out", out, "--sae", sae(), "--sae-weights", "raw", "--layer", "0")
        .refused("sae reads blocks.1.hook_resid_pre", "choose another --sae or --layer");
    plateau("--out", out, "--sae", sae())
        .refused("which weights it was trained on", "--sae-weights raw");
    plateau("--out", out, "--sae", shared.resolve("none").toString()).refused("none");
    assertFalse(Files.exists(Path.of(out)));
  }

  private static String sae() {
    return shared.resolve("sae").toString();
  }

  @Test
  void wrongOptionsAreWrongUsage() {
    for (String[] wrong :
        new String[][] {
          {"--shard", "2/2"},
          {"--regime", "cubic"},
          {"--targets", "sideways"},
          {"--bases", "sideways"},
          {"--prompts", "0"},
          {"--step", "-1"},
          {"--scale", "huge"},
          {"--real-base", "mine"},
          {"--replacements", "somewhere"},
          {"--density-pool", "some"},
          {"--feature-value", "some"},
          {"--draft-statistics", "ms_l2"}
        }) {
      CliRun run = plateau(wrong);
      assertEquals(ResidCommand.WRONG_USAGE, run.exitCode(), String.join(" ", wrong));
      assertTrue(run.err().startsWith("resid: "), run.err());
    }
  }

  private static CliRun plateau(String[] first, String... more) {
    List<String> all = new ArrayList<>(List.of(first));
    all.addAll(List.of(more));
    return plateau(all.toArray(String[]::new));
  }

  private static CliRun plateau(String... options) {
    List<String> line =
        new ArrayList<>(List.of("plateau", "--model", shared.resolve("model").toString()));
    line.addAll(List.of("--tokens", shared.resolve("tokens.json").toString()));
    if (!List.of(options).contains("--prompts")) {
      line.addAll(List.of("--prompts", "9"));
    }
    line.addAll(List.of("--threads", "2"));
    line.addAll(List.of(options));
    return CliRun.of(line.toArray(String[]::new));
  }
}
