package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.io.Safetensors;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Golden;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Shared;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Checkpoints as Hugging Face transformers writes them, and what it computes from them. */
class HuggingFaceGoldensTest extends OnEachCpuBackend {
  private static final String BASE = "base-2x32";
  private static final String PREFIXED = "prefixed-3x48";
  private static final String UNTIED = "untied-unscaled";
  private static final String RELU = "ninner-relu";
  private static final String INVERSE = "inverse-layer-gelu";
  private static final String SHARDED = "sharded";
  private static final String F16 = "float16";
  private static final String BF16 = "bfloat16";

  private static Golden golden(String name) throws IOException {
    return Golden.of(Shared.require("goldens/hf/" + name));
  }

  private Gpt2 load(Golden golden) throws IOException {
    return Gpt2.load(golden.dir().resolve("checkpoint"), backend());
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, UNTIED, RELU, INVERSE, SHARDED, F16, BF16})
  void logitsAgreeWithFloat64(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = load(golden);
    try (Safetensors expected = golden.open("expected.safetensors")) {
      for (Map.Entry<String, JsonNode> input : golden.json().path("inputs").properties()) {
        TokenBatch tokens = Golden.tokens(input.getValue().path("input_ids"));
        Golden.compare(
            check(name + " logits of input " + input.getKey()),
            expected,
            input.getKey() + ".logits_f64",
            gpt2.forward(tokens).logits(),
            golden.tolerance("logits_float32_vs_f64"));
      }
    }
  }

  /** The first entry is what enters block 0, the last one is after the final layer norm. */
  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, UNTIED, RELU, INVERSE, SHARDED, F16, BF16})
  void hiddenStatesAgree(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = load(golden);
    TokenBatch tokens = Golden.tokens(golden.json().path("inputs").path("batch").path("input_ids"));
    int layers = gpt2.config().nLayers();
    try (Safetensors expected = golden.open("expected.safetensors")) {
      for (int i = 0; i <= layers; i++) {
        HookPoint point =
            i == 0
                ? HookPoint.residPre(0)
                : i == layers ? HookPoint.at(Site.LN_FINAL_NORMALIZED) : HookPoint.residPost(i - 1);
        Golden.compare(
            check(name + " hidden state " + i),
            expected,
            "batch.hidden_states." + i,
            gpt2.capture(tokens, point.capture()).get(point),
            golden.tolerance("logits_float32_vs_f64"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, UNTIED, RELU, INVERSE, SHARDED, F16, BF16})
  void lossesAgree(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = load(golden);
    double allowed = golden.json().path("tolerance").path("loss_abs").asDouble();
    for (Map.Entry<String, JsonNode> input : golden.json().path("inputs").properties()) {
      TokenBatch tokens = Golden.tokens(input.getValue().path("input_ids"));
      PositionValues nats = gpt2.crossEntropyNats(tokens);
      JsonNode loss = input.getValue().path("loss_f64");
      if (loss.isNull()) {
        assertEquals(0, nats.length(0), "a single token has no next one");
      } else {
        assertEquals(loss.asDouble(), nats.mean(), allowed, name + " " + input.getKey());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, UNTIED, RELU})
  void gradientsOfEveryParameterAgree(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = load(golden);
    TokenBatch tokens = Golden.tokens(golden.json().path("inputs").path("batch").path("input_ids"));
    Set<String> compared = new HashSet<>();
    try (Safetensors expected = golden.open("gradients.safetensors");
        Tape tape = gpt2.record(tokens)) {
      Gradients gradients = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      for (Weight weight : gradients.weights()) {
        if (weight.name() == WeightNames.b_U) {
          continue; // not a parameter there
        }
        String key = (weight.name() == WeightNames.W_U ? "" : "transformer.") + weight.fileKey();
        compared.add(key);
        check(name + " gradient of " + key)
            .close(
                third(expected.doubles(key), weight, gpt2.config().dModel()),
                gradients.weight(weight),
                golden.tolerance("gradients_float32"));
      }
      assertEquals(Set.copyOf(expected.names()), compared);
    }
  }

  /** Returns the columns of a fused tensor that belong to the weight. */
  private static double[] third(double[] fused, Weight weight, int width) {
    int third =
        switch (weight.name()) {
          case W_Q, b_Q -> 0;
          case W_K, b_K -> 1;
          case W_V, b_V -> 2;
          default -> -1;
        };
    if (third < 0) {
      return fused;
    }
    double[] part = new double[fused.length / 3];
    Arrays.setAll(part, i -> fused[i / width * 3 * width + third * width + i % width]);
    return part;
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, UNTIED, RELU, INVERSE, SHARDED, F16, BF16})
  void greedyGenerationGivesTheSameTokens(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = load(golden);
    JsonNode cases = golden.json().path("generation").path("cases");
    assertTrue(cases.size() >= 3);
    for (JsonNode generation : cases) {
      int[] expected = Golden.ints(generation.path("generated"));
      int[] prompt = Golden.ints(generation.path("prompt"));
      assertArrayEquals(
          expected,
          gpt2.generator(Sampling.greedy()).generate(prompt, expected.length),
          () -> name + " after " + Arrays.toString(prompt));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Activation.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"IDENTITY"})
  void activationFunctionsAndTheirSlopesAgree(Activation activation) throws IOException {
    Golden golden = golden("activation-functions");
    String name = activation.name().toLowerCase(java.util.Locale.ROOT);
    TensorAssert check = check(name);
    Tolerance tolerance = golden.tolerance("float32");
    try (Safetensors expected = golden.open("expected.safetensors")) {
      float[] points = expected.tensor("x").toArray();
      Shape shape = Shape.of(Axis.ROW, 1, Axis.D_MLP, points.length);
      Tensor x = Tensor.wrap(shape, points);
      Tensor y = backend().allocate(shape);
      backend().activate(x, activation, y);
      check.close(expected.doubles(name + ".y"), y, tolerance);
      Tensor slope = backend().allocate(shape);
      backend().activateBackward(x.map(v -> 1f), x, activation, slope);
      check.close(expected.doubles(name + ".dydx"), slope, tolerance);
    }
  }
}
