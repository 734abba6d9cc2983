package dev.resid.sae.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.io.Safetensors;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightsState;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.testing.Golden;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Shared;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** Evaluation metrics, feature densities and per-token losses of SAELens 6.18.0. */
class SaeLensGoldensTest extends OnEachCpuBackend {
  @TestFactory
  Stream<DynamicTest> metricsAgreeWithSaeLens() throws IOException {
    List<Golden> cases = new ArrayList<>();
    try (Stream<Path> dirs = Files.list(Shared.require("goldens/saelens"))) {
      for (Path dir : dirs.sorted().toList()) {
        Golden golden = Golden.of(dir);
        if (golden.json().has("evaluation")) {
          cases.add(golden);
        }
      }
    }
    assertTrue(cases.size() >= 10, "only " + cases.size() + " cases have an evaluation");
    return cases.stream()
        .map(c -> DynamicTest.dynamicTest(c.dir().getFileName().toString(), () -> compare(c)));
  }

  private void compare(Golden golden) throws IOException {
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    Sae sae = load(golden);
    SaeEvaluator evaluator = new SaeEvaluator(gpt2, sae);
    List<SaeSums> batches = new ArrayList<>();
    JsonNode evaluation = golden.json().path("evaluation");
    for (JsonNode rows : evaluation.path("token_batches")) {
      TokenBatch tokens = Golden.tokens(rows);
      batches.add(evaluator.sums(tokens, evaluator.means(tokens)));
    }
    Map<String, Double> found = SaeLensMetrics.of(batches, sae.config().dOut());
    double relative = golden.json().path("tolerance").path("metrics").path("rel").asDouble();
    double absolute = golden.json().path("tolerance").path("metrics").path("abs").asDouble();
    int compared = 0;
    for (JsonNode group : evaluation.path("metrics")) {
      for (Map.Entry<String, JsonNode> metric : group.properties()) {
        if (metric.getKey().startsWith("total_tokens")) {
          continue;
        }
        double expected = metric.getValue().asDouble();
        assertTrue(found.containsKey(metric.getKey()), metric.getKey());
        assertEquals(
            expected,
            found.get(metric.getKey()),
            absolute + relative * Math.abs(expected),
            metric.getKey());
        compared++;
      }
    }
    assertEquals(17, compared, "metrics compared");
    features(golden, batches.stream().reduce(SaeSums::merge).orElseThrow(), sae);
  }

  private void features(Golden golden, SaeSums sums, Sae sae) throws IOException {
    SaeReport report = new SaeReport(sums, FeatureCosines.of(sae));
    try (Safetensors file = golden.open("expected.safetensors")) {
      equal(file, "eval.feature_density", report.frequencies(TokenScope.ALL));
      equal(file, "eval.encoder_decoder_cosine_sim", report.encoderDecoderCosines().orElseThrow());
      equal(
          file,
          "eval.consistent_activation_heuristic",
          SaeLensMetrics.consistentActivationHeuristic(sums));
    }
  }

  private void equal(Safetensors file, String name, double[] found) throws IOException {
    TensorAssert check = check(name);
    check.close(
        dev.resid.tensor.Shape.of(dev.resid.tensor.Axis.D_SAE, found.length),
        file.doubles(name),
        found,
        Tolerance.within(1e-6, 1e-6));
  }

  private Sae load(Golden golden) throws IOException {
    try (SaeCheckpoint file = SaeCheckpoint.open(golden.dir().resolve("sae"))) {
      // The cases ran on TransformerLens without processing, whatever the file's defaults say.
      SaeConfig c = file.config().withWeights(WeightsState.RAW);
      JsonNode scale = golden.json().path("info").path("scaling_factor");
      // The evaluation measured this scale on its own data; no file has it.
      SaeConfig scaled =
          new SaeConfig(
              c.name(),
              c.architecture(),
              c.dIn(),
              c.dSae(),
              c.dOut(),
              c.k(),
              c.topKScale(),
              c.normalization(),
              scale.isMissingNode() ? c.inputScale() : scale.asDouble(),
              c.decoderBias(),
              c.point(),
              c.outputPoint(),
              c.weights(),
              c.provenance());
      return Sae.of(scaled, file.weights(), backend());
    }
  }
}
