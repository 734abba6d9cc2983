package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.io.Safetensors;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Golden;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Shared;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * Activations, weights and gradients as TransformerLens computes them. Activations are compared in
 * the order of the forward pass, so that a failure names the first one that diverges.
 *
 * <p>Of its optional hooks only {@code attn.hook_result} exists here. The others ({@code attn_in},
 * {@code q_input}, {@code k_input}, {@code v_input}, {@code mlp_in}) copy the residual stream that
 * {@code resid_pre} and {@code resid_mid} already show.
 */
class TransformerLensGoldensTest extends OnEachCpuBackend {
  private static final String BASE = "base-2x32";
  private static final String PREFIXED = "prefixed-3x48";
  private static final String RELU = "ninner-relu";
  private static final String INVERSE = "inverse-layer-gelu";

  /**
   * The bound that the hf cases state for gradients: ten times the error of the reference's own
   * float32 run, which is at most 1.4e-6.
   */
  private static final Tolerance GRADIENTS = Tolerance.within(1e-5, 1e-3);

  private static Golden golden(String name) throws IOException {
    return Golden.of(Shared.require("goldens/tlens/" + name));
  }

  private static WeightTransforms transforms(String variant) {
    return variant.equals("no_processing")
        ? WeightTransforms.none()
        : WeightTransforms.transformerLens();
  }

  private static TokenBatch tokens(Golden golden) {
    return Golden.tokens(golden.json().path("input_ids"));
  }

  private static List<String> hooksInOrder(Golden golden, String variant) {
    JsonNode names = golden.json().path("variants").path(variant).path("hook_names_in_order");
    return StreamSupport.stream(names.spliterator(), false).map(JsonNode::asString).toList();
  }

  /** Returns every point but {@code attn.hook_result}, which the main caches do not have. */
  private static List<HookPoint> points(Gpt2Config config) {
    return HookPoint.all(config.nLayers()).stream().filter(p -> p.site() != Site.RESULT).toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void hookPointsHaveTheNamesAndTheOrder(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    List<String> ours = points(gpt2.config()).stream().map(HookPoint::name).toList();
    assertEquals(hooksInOrder(golden, "no_processing"), ours);
    assertEquals(hooksInOrder(golden, "default_processing"), ours);
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void everyActivationAgreesWithoutProcessing(String name) throws IOException {
    everyActivationAgrees(golden(name), "no_processing");
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void everyActivationAgreesWithDefaultProcessing(String name) throws IOException {
    everyActivationAgrees(golden(name), "default_processing");
  }

  private void everyActivationAgrees(Golden golden, String variant) throws IOException {
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend(), transforms(variant));
    ForwardResult run =
        gpt2.forward(
            tokens(golden),
            points(gpt2.config()).stream().map(HookPoint::capture).toArray(Capture[]::new));
    Tolerance tolerance = golden.tolerance("cache_float32");
    try (Safetensors expected = golden.open("cache_" + variant + ".safetensors")) {
      for (String hook : hooksInOrder(golden, variant)) {
        Golden.compare(
            check(golden.dir().getFileName() + " " + variant + " " + hook),
            expected,
            hook,
            run.cache().get(HookPoint.parse(hook)),
            tolerance);
      }
      Golden.compare(check(variant + " logits"), expected, "logits", run.logits(), tolerance);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void whatEachHeadWritesAgrees(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    try (Safetensors expected = golden.open("cache_optional_hooks.safetensors")) {
      for (int layer = 0; layer < gpt2.config().nLayers(); layer++) {
        HookPoint point = HookPoint.at(Site.RESULT, layer);
        Golden.compare(
            check(name + " " + point),
            expected,
            point.name(),
            gpt2.capture(tokens(golden), point.capture()).get(point),
            golden.tolerance("cache_float32"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void lossOfEveryTokenAgrees(String name) throws IOException {
    Golden golden = golden(name);
    for (String variant : List.of("no_processing", "default_processing")) {
      Gpt2 gpt2 = Gpt2.load(golden.model(), backend(), transforms(variant));
      PositionValues nats = gpt2.crossEntropyNats(tokens(golden));
      JsonNode expected = golden.json().path("variants").path(variant);
      for (int row = 0; row < nats.rows(); row++) {
        double[] want = Golden.doubles(expected.path("loss_per_token_f64").get(row));
        assertEquals(want.length, nats.length(row));
        for (int pos = 0; pos < want.length; pos++) {
          // A cross-entropy is a difference of two numbers that carry the error of a logit.
          double allowed = 2 * golden.tolerance("cache_float32").allowed(0, want[pos]);
          assertEquals(want[pos], nats.get(row, pos), allowed, variant + " " + row + " " + pos);
        }
      }
      assertEquals(expected.path("loss_f64").asDouble(), nats.mean(), 1e-5, variant);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void weightsInTheirShapesAreTheBitsOfTheFile(String name) throws IOException {
    Golden golden = golden(name);
    try (Safetensors expected = golden.open("weights_no_processing.safetensors");
        Gpt2Checkpoint checkpoint = Gpt2Checkpoint.open(golden.model())) {
      for (Weight weight : Weight.all(checkpoint.config())) {
        Tensor lens = checkpoint.weights().lens(weight);
        check(weight.toString()).sameBits(expected.tensor(weight.lensName(), lens.shape()), lens);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void processedWeightsAgree(String name) throws IOException {
    Golden golden = golden(name);
    Set<String> compared = new HashSet<>();
    try (Safetensors expected = golden.open("weights_default_processing.safetensors");
        Gpt2Checkpoint checkpoint = Gpt2Checkpoint.open(golden.model())) {
      Gpt2Weights weights = WeightTransforms.transformerLens().apply(checkpoint.weights());
      for (Weight weight : Weight.all(weights.config())) {
        Tensor lens = weights.lens(weight);
        if (expected.has(weight.lensName())) {
          compared.add(weight.lensName());
          // Float64 sums, rounded to float once a rewriting, so the bound for float64 programs.
          Golden.compare(
              check(name + " " + weight),
              expected,
              weight.lensName(),
              lens,
              golden.tolerance("float64"));
        } else {
          float neutral = weight.lensName().endsWith(".w") ? 1 : 0;
          check(weight.toString()).sameBits(lens.map(x -> neutral), lens);
        }
      }
      assertEquals(Set.copyOf(expected.names()), compared);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void gradientsAtEveryHookPointAgree(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    List<HookPoint> points = points(gpt2.config());
    try (Safetensors expected = golden.open("hook_gradients_no_processing.safetensors");
        Tape tape = gpt2.record(tokens(golden))) {
      Gradients gradients =
          tape.backward(Wanted.activations(points.toArray(HookPoint[]::new)), Seed.crossEntropy());
      for (HookPoint point : points.reversed()) {
        Golden.compare(
            check(name + " gradient at " + point),
            expected,
            point.name(),
            gradients.activation(point),
            GRADIENTS);
      }
      assertEquals(points.size(), expected.names().size());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void parameterGradientsOfTheUntiedModelAgree(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 tied = Gpt2.load(golden.model(), backend());
    Gpt2Config untied = tied.config().untied();
    Map<Weight, Tensor> weights = new HashMap<>();
    Weight.all(untied).forEach(weight -> weights.put(weight, tied.weights().get(weight)));
    Gpt2 gpt2 = Gpt2.of(Gpt2Weights.of(untied, weights), backend());
    try (Safetensors expected = golden.open("parameter_gradients_no_processing.safetensors");
        Tape tape = gpt2.record(tokens(golden))) {
      Gradients gradients = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      Map<Weight, Tensor> all = new HashMap<>();
      gradients.weights().forEach(weight -> all.put(weight, gradients.weight(weight)));
      Gpt2Weights inOurShapes = Gpt2Weights.of(untied, all);
      for (Weight weight : Weight.all(untied)) {
        Golden.compare(
            check(name + " gradient of " + weight),
            expected,
            weight.lensName(),
            inOurShapes.lens(weight),
            GRADIENTS);
      }
      assertEquals(Weight.all(untied).size(), expected.names().size());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void gradientOfATiedEmbeddingIsTheSumOfBothUses(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    int width = gpt2.config().dModel();
    int vocabulary = gpt2.config().dVocab();
    try (Safetensors expected = golden.open("parameter_gradients_no_processing.safetensors");
        Tape tape = gpt2.record(tokens(golden))) {
      Gradients gradients = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      double[] sum = expected.doubles("embed.W_E");
      double[] other = expected.doubles("unembed.W_U");
      for (int v = 0; v < vocabulary; v++) {
        for (int c = 0; c < width; c++) {
          sum[v * width + c] += other[c * vocabulary + v];
        }
      }
      check(name + " gradient of W_E")
          .close(sum, gradients.weight(Weight.of(WeightNames.W_E)), GRADIENTS);
      assertTrue(!gradients.weights().contains(Weight.of(WeightNames.W_U)));
    }
  }
}
