package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.testing.Fuzz;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Configurations of models, damaged at random and on purpose. */
class ConfigFuzzTest {
  private static final List<String> WORDS =
      Fuzz.json(
          "\"n_embd\":",
          "\"n_layer\":",
          "\"n_inner\":",
          "\"n_head\":",
          "\"n_positions\":",
          "\"vocab_size\":",
          "\"hidden_size\":",
          "\"layer_norm_epsilon\":",
          "\"eos_token_id\":",
          "\"model_type\":",
          "\"architectures\":",
          "\"activation_function\":",
          "1e-5");

  @Test
  void everyConfigurationIsReadOrRefused() {
    String other =
        "{\"model_type\":\"gpt2\",\"architectures\":[\"GPT2LMHeadModel\"],\"hidden_size\":8,"
            + "\"num_attention_heads\":2,\"num_hidden_layers\":1,\"n_inner\":null,"
            + "\"bos_token_id\":[3,4],\"tie_word_embeddings\":false,\"vocab_size\":11}";
    Fuzz.Outcome outcome =
        Fuzz.ofText(
                "config.json",
                WORDS,
                CheckpointException.class,
                input -> Gpt2ConfigFile.parse(Path.of(Fuzz.NAME), input).parameters(),
                Gpt2ConfigFile.write(Gpt2Config.of(2, 2, 8, 20, 16), "float32"),
                other)
            .run();
    assertTrue(outcome.read() > 20 && outcome.refused() > 100, outcome::toString);
    outcome.requireSearched(5);
  }

  @Test
  void everyIndexOfShardsIsReadOrRefused() {
    String sound =
        "{\"metadata\":{\"total_size\":12},\"weight_map\":{\"wte.weight\":"
            + "\"model-00001-of-00002.safetensors\",\"h.0.ln_1.bias\":"
            + "\"model-00002-of-00002.safetensors\"}}";
    Fuzz.Outcome outcome =
        Fuzz.ofText(
                "index of shards",
                WORDS,
                CheckpointException.class,
                input -> CheckpointShards.weightMap(Path.of(Fuzz.NAME), input),
                sound)
            .run();
    assertTrue(outcome.read() > 20 && outcome.refused() > 100, outcome::toString);
    outcome.requireSearched(3);
  }
}
