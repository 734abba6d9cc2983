package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightsState;
import dev.resid.sae.Sae;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.io.Stated;
import dev.resid.sae.metric.SaeEvaluator;
import dev.resid.sae.metric.SaeMetric;
import dev.resid.sae.metric.SaeReport;
import dev.resid.sae.metric.TokenScope;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code resid sae evaluate} and {@code resid feature} on a model of 16 dimensions. */
class SaeEvaluateCommandTest {
  private static final int FEATURES = 24;

  @TempDir private static Path shared;

  @TempDir private Path temporary;

  @BeforeAll
  static void makeModelSaeAndTokens() throws IOException {
    TinyModel.saveWithTokenizer(Files.createDirectories(shared.resolve("model")), 1);
    try (Backend backend = Backends.named("scalar", BackendOptions.defaults())) {
      SaeCheckpoint.save(
          SmallSaes.random(HookPoint.residPre(1), 16, FEATURES, 5, backend),
          DType.F32,
          shared.resolve("sae"));
    }
    int[] lengths = java.util.stream.IntStream.generate(() -> 12).limit(20).toArray();
    SmallSaes.tokens(2, TinyModel.TOKENS, lengths).writeJson(shared.resolve("tokens.json"));
  }

  private static CliRun evaluate(Object... more) {
    return CliRun.line(
        "sae evaluate --quiet --weights raw --sae "
            + shared.resolve("sae")
            + " --model "
            + shared.resolve("model")
            + " --tokens "
            + shared.resolve("tokens.json")
            + " --out",
        more);
  }

  @Test
  void theReportHasEveryMetricAsTheLibraryGivesIt() throws IOException {
    Path out = temporary.resolve("out");
    CliRun run = evaluate(out).ok();
    assertTrue(run.out().endsWith("Report: " + out.resolve("report.html") + "\n"), run.out());
    JsonNode json = JsonMapper.shared().readTree(Files.readString(out.resolve("report.json")));
    try (Backend backend = Backends.fastest()) {
      Gpt2 gpt2 = Gpt2.load(shared.resolve("model"), backend);
      Sae sae =
          SaeCheckpoint.load(shared.resolve("sae"), Stated.nothing().on(WeightsState.RAW), backend);
      TokenBatch tokens = TokenBatch.readJson(shared.resolve("tokens.json"));
      SaeReport report = new SaeEvaluator(gpt2, sae).report(tokens);
      for (TokenScope scope : TokenScope.values()) {
        for (SaeMetric metric : SaeMetric.values()) {
          double expected = report.get(metric, scope);
          assertEquals(
              expected,
              json.path(scope.key()).path(metric.key()).asDouble(),
              1e-12 * (1 + Math.abs(expected)),
              metric + " " + scope);
        }
      }
    }
    assertEquals(FEATURES + 1, Files.readAllLines(out.resolve("features.csv")).size());
    String page = Files.readString(out.resolve("report.html"));
    assertTrue(page.contains("ce_recovered_zero_ablation") && page.contains("In short"));
    for (String file : new String[] {"metrics.csv", "frequencies.csv", "run.json"}) {
      assertTrue(Files.exists(out.resolve(file)), file);
    }
  }

  @Test
  void batchSizeChangesNoByteAndAFinishedRunIsNotComputedAgain() throws IOException {
    Path one = temporary.resolve("one");
    Path other = temporary.resolve("other");
    evaluate(one, "--batch", "1").ok();
    evaluate(other, "--batch", "5", "--threads", "1").ok();
    for (String file : new String[] {"report.json", "metrics.csv", "features.csv"}) {
      assertArrayEquals(
          Files.readAllBytes(one.resolve(file)), Files.readAllBytes(other.resolve(file)), file);
    }
    byte[] log = Files.readAllBytes(one.resolve("blocks/rows.log"));
    Files.delete(one.resolve("report.html"));
    evaluate(one).ok();
    assertTrue(Files.exists(one.resolve("report.html")));
    assertArrayEquals(log, Files.readAllBytes(one.resolve("blocks/rows.log")));
  }

  @Test
  void aRunThatWasCutShortGoesOnToTheSameBytes() throws IOException {
    Path whole = temporary.resolve("whole");
    Path cut = temporary.resolve("cut");
    evaluate(whole).ok();
    evaluate(cut).ok();
    Path log = cut.resolve("blocks/rows.log");
    byte[] bytes = Files.readAllBytes(log);
    Files.write(log, java.util.Arrays.copyOf(bytes, bytes.length - 100));
    evaluate(cut).ok();
    assertArrayEquals(bytesWithoutTimes(whole), bytesWithoutTimes(cut));
    evaluate(cut, "--rows", "9").refused("tokens_sha256", "choose another --out");
  }

  private static byte[] bytesWithoutTimes(Path folder) throws IOException {
    return Files.readAllBytes(folder.resolve("report.json"));
  }

  @Test
  void whatDoesNotBelongTogetherIsRefused() {
    Path out = temporary.resolve("out");
    CliRun.line(
            "sae evaluate --quiet --sae " + shared.resolve("sae") + " --tokens",
            shared.resolve("tokens.json"),
            "--out",
            out,
            "--weights",
            "raw")
        .refused("width 16", "192");
    evaluate(out, "--rows", "99").refused("20 rows", "99");
    evaluate(out, "--batch", "0").wrongUsage("--batch");
    assertFalse(Files.exists(out));
  }

  private CliRun feature(Object... more) {
    return CliRun.line(
        "feature --quiet --weights raw --sae "
            + shared.resolve("sae")
            + " --model "
            + shared.resolve("model")
            + " --tokens "
            + shared.resolve("tokens.json")
            + " --out "
            + temporary.resolve("page.html"),
        more);
  }

  @Test
  void aFeaturePageIsOneFileThatLoadsNothing() throws IOException {
    for (int index = 0; index < FEATURES; index++) {
      feature("--index", index).ok();
      String page = Files.readString(temporary.resolve("page.html"));
      assertTrue(page.startsWith("<!DOCTYPE html>") && page.endsWith("</html>\n"));
      assertTrue(page.contains("Feature " + index + " of sae"), "heading");
      assertTrue(page.contains("default-src 'none'"));
      assertFalse(page.matches("(?s).*(<script|src=|@import|url\\().*"), "loads something");
      assertFalse(page.contains("neuronpedia.org"), "a link without an id");
      if (page.contains("no token here")) {
        assertTrue(page.contains("The feature is active on no token here."));
      } else {
        assertTrue(page.contains("<mark class=\"listed\""), "an example of feature " + index);
      }
    }
  }

  @Test
  void aFeatureThatDoesNotExistIsRefused() {
    feature("--index", FEATURES).refused("has no feature 24", "0 to 23");
    feature("--index", "-1").wrongUsage("--index");
    assertFalse(Files.exists(temporary.resolve("page.html")));
  }
}
