package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.testing.Fuzz;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Configurations of models, damaged at random and on purpose. */
class ConfigFuzzTest {
  /** The buffers of the JSON parser and the tree of a file of 16 KiB. */
  private static final long MOST_BYTES = 2L << 20;

  private static final List<String> WORDS =
      List.of(
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
          "null",
          "true",
          "[]",
          "{}",
          "[[",
          "{\"a\":",
          "\"",
          ",",
          ":",
          "\\u0000",
          "\\ud800",
          "\u00ff",
          "1e-5");

  @Test
  void everyConfigurationIsReadOrRefused() {
    String other =
        "{\"model_type\":\"gpt2\",\"architectures\":[\"GPT2LMHeadModel\"],\"hidden_size\":8,"
            + "\"num_attention_heads\":2,\"num_hidden_layers\":1,\"n_inner\":null,"
            + "\"bos_token_id\":[3,4],\"tie_word_embeddings\":false,\"vocab_size\":11}";
    Fuzz.Outcome outcome =
        new Fuzz(
                "config.json",
                List.of(
                    Gpt2ConfigFile.write(Gpt2Config.of(2, 2, 8, 20, 16), "float32")
                        .getBytes(StandardCharsets.UTF_8),
                    other.getBytes(StandardCharsets.UTF_8)),
                WORDS,
                MOST_BYTES,
                CheckpointException.class,
                input -> Gpt2ConfigFile.parse(Path.of(Fuzz.NAME), input).parameters())
            .run();
    assertTrue(outcome.read() > 20 && outcome.refused() > 100, outcome::toString);
    assertTrue(outcome.ends() > 5, outcome::toString);
  }

  @Test
  void everyIndexOfShardsIsReadOrRefused() {
    String sound =
        "{\"metadata\":{\"total_size\":12},\"weight_map\":{\"wte.weight\":"
            + "\"model-00001-of-00002.safetensors\",\"h.0.ln_1.bias\":"
            + "\"model-00002-of-00002.safetensors\"}}";
    Fuzz.Outcome outcome =
        new Fuzz(
                "index of shards",
                List.of(sound.getBytes(StandardCharsets.UTF_8)),
                WORDS,
                MOST_BYTES,
                CheckpointException.class,
                input -> CheckpointShards.weightMap(Path.of(Fuzz.NAME), input))
            .run();
    assertTrue(outcome.read() > 20 && outcome.refused() > 100, outcome::toString);
    assertTrue(outcome.ends() > 3, outcome::toString);
  }
}
