package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.model.Gpt2Config.ScoreScale;
import dev.resid.tensor.Activation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reading config.json: what is understood, and how everything else is refused. */
class ConfigFileTest {
  private static final Path FILE = Path.of("some", "config.json");

  private static Gpt2Config read(String json) throws IOException {
    return Gpt2ConfigFile.parse(FILE, json.getBytes(StandardCharsets.UTF_8));
  }

  private static String refused(String json) {
    CheckpointException error =
        assertThrows(CheckpointException.class, () -> read(json), () -> json + " was accepted");
    assertTrue(error.getMessage().startsWith(FILE.toString()), error.getMessage());
    return error.getMessage();
  }

  @Test
  void anEmptyObjectIsGpt2Small() throws IOException {
    assertEquals(
        new Gpt2Config(
            12,
            12,
            768,
            3072,
            50257,
            1024,
            Activation.GELU_NEW,
            1e-5,
            ScoreScale.BY_WIDTH,
            Embeddings.TIED,
            OptionalInt.empty(),
            OptionalInt.empty()),
        read("{}"));
    assertEquals(124_439_808, read("{}").parameters());
  }

  @Test
  void everyKeyIsRead() throws IOException {
    assertEquals(
        new Gpt2Config(
            3,
            2,
            10,
            17,
            99,
            33,
            Activation.RELU,
            1e-3,
            ScoreScale.BY_LAYER,
            Embeddings.UNTIED,
            OptionalInt.of(7),
            OptionalInt.of(8)),
        read(
            """
            {"model_type": "gpt2", "n_layer": 3, "n_head": 2, "n_embd": 10, "n_inner": 17,
             "vocab_size": 99, "n_positions": 33, "n_ctx": 5, "activation_function": "relu",
             "layer_norm_epsilon": 0.001, "scale_attn_weights": false,
             "scale_attn_by_inverse_layer_idx": true, "tie_word_embeddings": false,
             "add_cross_attention": false, "reorder_and_upcast_attn": true,
             "bos_token_id": 7, "eos_token_id": [8, 9], "summary_type": {"anything": [1]}}
            """));
  }

  @Test
  void otherNamesOfTheSizesAreUnderstood() throws IOException {
    Gpt2Config config =
        read(
            """
            {"num_hidden_layers": 3, "num_attention_heads": 2, "hidden_size": 10,
             "max_position_embeddings": 33, "n_inner": null, "eos_token_id": null}
            """);
    assertEquals(3, config.nLayers());
    assertEquals(2, config.nHeads());
    assertEquals(10, config.dModel());
    assertEquals(40, config.dMlp());
    assertEquals(33, config.nCtx());
    assertEquals(OptionalInt.empty(), config.eosToken());
  }

  @ParameterizedTest
  @CsvSource({
    "gelu_new, GELU_NEW",
    "gelu_pytorch_tanh, GELU_NEW",
    "gelu, GELU",
    "gelu_fast, GELU_FAST",
    "quick_gelu, QUICK_GELU",
    "relu, RELU",
    "silu, SILU",
    "swish, SILU",
    "tanh, TANH"
  })
  void everyListedActivationIsKnown(String name, Activation activation) throws IOException {
    assertEquals(activation, read("{\"activation_function\": \"" + name + "\"}").activation());
  }

  @ParameterizedTest
  @CsvSource({
    "true, false, BY_WIDTH",
    "false, false, NONE",
    "true, true, BY_WIDTH_AND_LAYER",
    "false, true, BY_LAYER"
  })
  void bothSwitchesOfTheScoresAreRead(String byWidth, String byLayer, ScoreScale expected)
      throws IOException {
    Gpt2Config config =
        read(
            "{\"scale_attn_weights\": "
                + byWidth
                + ", \"scale_attn_by_inverse_layer_idx\": "
                + byLayer
                + "}");
    assertEquals(expected, config.scores());
    double width = byWidth.equals("true") ? 1 / 8.0 : 1;
    double depth = byLayer.equals("true") ? 1 / 3.0 : 1;
    assertEquals(width * depth, config.scoreScale(2), 1e-15);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "{\"n_layer\": 3,}", "nothing", "{} {}", "{\"a\": 1, \"a\": 2}"})
  void whatIsNoJsonIsRefused(String text) {
    refused(text);
  }

  @Test
  void deeplyNestedJsonIsRefused() {
    refused("{\"a\": " + "[".repeat(100_000) + "]".repeat(100_000) + "}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "3", "null", "\"gpt2\""})
  void whatIsNoObjectIsRefused(String text) {
    refused(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "n_layer: \"two\"",
        "n_layer: 2.5",
        "n_layer: null",
        "n_layer: 3000000000",
        "n_layer: 0",
        "n_layer: -1",
        "n_head: true",
        "n_head: 0",
        "n_embd: [768]",
        "n_embd: 1000000000",
        "n_embd: 0",
        "n_inner: \"many\"",
        "n_inner: 2.5",
        "n_inner: false",
        "n_inner: 0",
        "n_inner: {}",
        "vocab_size: \"all\"",
        "vocab_size: -5",
        "n_positions: {}",
        "n_positions: 0",
        "layer_norm_epsilon: \"small\"",
        "layer_norm_epsilon: null",
        "layer_norm_epsilon: -1e-5",
        "layer_norm_epsilon: 1",
        "layer_norm_epsilon: 1e999",
        "scale_attn_weights: \"yes\"",
        "scale_attn_by_inverse_layer_idx: 1",
        "tie_word_embeddings: \"true\"",
        "add_cross_attention: true",
        "add_cross_attention: 3",
        "bos_token_id: \"<s>\"",
        "bos_token_id: 1.5",
        "eos_token_id: [\"x\"]",
        "model_type: \"llama\"",
        "model_type: 2",
        "model_type: null",
        "activation_function: \"mish\"",
        "activation_function: null",
        "activation_function: 3"
      })
  void wrongValuesAreRefusedByTheirKey(String entry) {
    String key = entry.substring(0, entry.indexOf(':'));
    String message = refused("{\"" + key + "\"" + entry.substring(key.length()) + "}");
    assertTrue(message.contains(key), message);
  }

  @Test
  void messagesSayWhatWouldBeRight() {
    assertTrue(refused("{\"activation_function\": \"mish\"}").contains("gelu_new"));
    assertTrue(refused("{\"model_type\": \"llama\"}").contains("gpt2"));
    String heads = refused("{\"n_embd\": 10, \"n_head\": 3}");
    assertTrue(heads.contains("10") && heads.contains("3") && heads.contains("multiple"), heads);
  }

  @ParameterizedTest
  @EnumSource(
      value = Activation.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"IDENTITY"})
  void whatIsWrittenReadsBackTheSame(Activation activation) throws IOException {
    for (ScoreScale scores : ScoreScale.values()) {
      for (Embeddings embeddings : Embeddings.values()) {
        Gpt2Config config =
            new Gpt2Config(
                3,
                2,
                10,
                activation.ordinal() % 2 == 0 ? 40 : 17,
                99,
                33,
                activation,
                1.25e-6,
                scores,
                embeddings,
                OptionalInt.of(1),
                OptionalInt.empty());
        assertEquals(config, read(Gpt2ConfigFile.write(config, "float32")));
      }
    }
  }

  @Test
  void parametersAreCountedAsPublished() throws IOException {
    assertEquals(354_823_168, read(sizes(24, 16, 1024)).parameters());
    assertEquals(774_030_080, read(sizes(36, 20, 1280)).parameters());
    assertEquals(1_557_611_200, read(sizes(48, 25, 1600)).parameters());
  }

  private static String sizes(int layers, int heads, int width) {
    return "{\"n_layer\": " + layers + ", \"n_head\": " + heads + ", \"n_embd\": " + width + "}";
  }
}
