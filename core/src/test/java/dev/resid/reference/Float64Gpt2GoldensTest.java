package dev.resid.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.io.Safetensors;
import dev.resid.testing.Golden;
import dev.resid.testing.Shared;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The reference agrees with another implementation's float64 run, as far as float64 allows, so that
 * the library's tests may rely on it.
 */
class Float64Gpt2GoldensTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "base-2x32",
        "prefixed-3x48",
        "untied-unscaled",
        "ninner-relu",
        "float16",
        "inverse-layer-gelu"
      })
  void logitsAndLossesAgree(String name) throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/hf/" + name));
    Float64Gpt2 reference = read(golden.dir().resolve("checkpoint"));
    double allowed = 1e-11; // what the case says a float64 program should reach
    try (Safetensors expected = golden.open("expected.safetensors")) {
      for (Map.Entry<String, JsonNode> input : golden.json().path("inputs").properties()) {
        TokenBatch tokens = Golden.tokens(input.getValue().path("input_ids"));
        double[] want = expected.doubles(input.getKey() + ".logits_f64");
        double loss = 0;
        int at = 0;
        for (int row = 0; row < tokens.rows(); row++) {
          double[] logits = reference.run(tokens.row(row)).get("logits");
          for (double logit : logits) {
            assertEquals(want[at++], logit, allowed, input.getKey());
          }
          for (double nats : Float64Gpt2.crossEntropies(logits, tokens.row(row))) {
            loss += nats / tokens.rows() / (tokens.length(row) - 1);
          }
        }
        assertEquals(input.getValue().path("loss_f64").asDouble(0), loss, allowed);
      }
    }
  }

  private static Float64Gpt2 read(Path dir) throws IOException {
    JsonNode config = JsonMapper.shared().readTree(Files.readAllBytes(dir.resolve("config.json")));
    int width = config.path("n_embd").asInt();
    int heads = config.path("n_head").asInt();
    Map<String, double[]> weights = new HashMap<>();
    List<Double> factors = new ArrayList<>();
    try (Safetensors file = Safetensors.open(dir.resolve("model.safetensors"))) {
      String prefix = file.has("transformer.wte.weight") ? "transformer." : "";
      weights.put("embed.W_E", file.doubles(prefix + "wte.weight"));
      weights.put("pos_embed.W_pos", file.doubles(prefix + "wpe.weight"));
      weights.put("ln_final.w", file.doubles(prefix + "ln_f.weight"));
      weights.put("ln_final.b", file.doubles(prefix + "ln_f.bias"));
      if (file.has("lm_head.weight")) {
        weights.put("unembed.W_U", file.doubles("lm_head.weight"));
      }
      for (int layer = 0; layer < config.path("n_layer").asInt(); layer++) {
        factors.add(factor(config, layer, width / heads));
        block(file, prefix + "h." + layer + ".", "blocks." + layer + ".", width, weights);
      }
    }
    int vocabulary = weights.get("embed.W_E").length / width;
    weights.put("unembed.b_U", new double[vocabulary]);
    return new Float64Gpt2(
        new Float64Gpt2.Sizes(
            heads,
            width,
            weights.get("blocks.0.mlp.b_in").length,
            vocabulary,
            config.path("layer_norm_epsilon").asDouble(),
            Activations.named(config.path("activation_function").asString()),
            factors),
        weights);
  }

  private static double factor(JsonNode config, int layer, int headWidth) {
    double factor =
        config.path("scale_attn_weights").asBoolean(true) ? 1 / Math.sqrt(headWidth) : 1;
    boolean byLayer = config.path("scale_attn_by_inverse_layer_idx").asBoolean(false);
    return byLayer ? factor / (layer + 1) : factor;
  }

  private static void block(
      Safetensors file, String from, String to, int width, Map<String, double[]> weights)
      throws IOException {
    for (int norm = 1; norm <= 2; norm++) {
      weights.put(to + "ln" + norm + ".w", file.doubles(from + "ln_" + norm + ".weight"));
      weights.put(to + "ln" + norm + ".b", file.doubles(from + "ln_" + norm + ".bias"));
    }
    String[] thirds = {"Q", "K", "V"};
    for (int third = 0; third < 3; third++) {
      weights.put(
          to + "attn.W_" + thirds[third],
          third(file.doubles(from + "attn.c_attn.weight"), third, width));
      weights.put(
          to + "attn.b_" + thirds[third],
          third(file.doubles(from + "attn.c_attn.bias"), third, width));
    }
    weights.put(to + "attn.W_O", file.doubles(from + "attn.c_proj.weight"));
    weights.put(to + "attn.b_O", file.doubles(from + "attn.c_proj.bias"));
    weights.put(to + "mlp.W_in", file.doubles(from + "mlp.c_fc.weight"));
    weights.put(to + "mlp.b_in", file.doubles(from + "mlp.c_fc.bias"));
    weights.put(to + "mlp.W_out", file.doubles(from + "mlp.c_proj.weight"));
    weights.put(to + "mlp.b_out", file.doubles(from + "mlp.c_proj.bias"));
  }

  private static double[] third(double[] fused, int third, int width) {
    double[] part = new double[fused.length / 3];
    for (int i = 0; i < part.length; i++) {
      part[i] = fused[i / width * 3 * width + third * width + i % width];
    }
    return part;
  }
}
