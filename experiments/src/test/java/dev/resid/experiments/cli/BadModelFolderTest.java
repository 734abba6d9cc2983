package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Folders that are no model, or not the one that their config.json describes. */
class BadModelFolderTest {
  private static final JsonMapper JSON = new JsonMapper();

  @TempDir private Path folder;
  private Path model;
  private Path config;
  private Path weights;
  private Path tokens;

  @BeforeEach
  void save() throws IOException {
    model = TinyModel.saveWithTokenizer(folder.resolve("model"), 1);
    config = model.resolve("config.json");
    weights = model.resolve("model.safetensors");
    tokens = Files.writeString(folder.resolve("tokens.json"), "[[1, 2, 3]]");
  }

  private CliRun run() {
    return CliRun.line(
        "run --model", model, "--tokens", tokens, "--out", folder.resolve("out.safetensors"));
  }

  /** Requires that looking at the model and running it are refused with the same sentence. */
  private void assertRefused(String... parts) {
    Map<String, String> before = FolderListing.of(folder);
    CliRun run = run().refused(parts);
    assertEquals(run.err(), CliRun.line("info --model", model).refused(parts).err());
    assertEquals(before, FolderListing.of(folder));
  }

  private void set(String key, String value) throws IOException {
    ObjectNode json = (ObjectNode) JSON.readTree(Files.readString(config));
    json.set(key, JSON.readTree(value));
    Files.writeString(config, JSON.writeValueAsString(json));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "model_type; \"llama\"; only \"gpt2\" is supported",
        "model_type; 7; only \"gpt2\" is supported",
        "architectures; [\"LlamaForCausalLM\"]; supported is [\"GPT2LMHeadModel\"]",
        "architectures; \"GPT2LMHeadModel\"; supported is [\"GPT2LMHeadModel\"]",
        "vocab_size; 0; must be at least 1",
        "vocab_size; -1; must be at least 1",
        "vocab_size; null; must be a whole number",
        "vocab_size; 257.0; must be a whole number",
        "vocab_size; \"257\"; must be a whole number",
        "vocab_size; 99999999999; must be a whole number below 2^31",
        "n_positions; 0; must be at least 1",
        "n_positions; true; must be a whole number",
        "n_embd; 15; not a multiple of n_head 2",
        "n_embd; 0; must be at least 1",
        "n_embd; 1000000000; far more than any GPT-2 has",
        "n_layer; 0; must be at least 1",
        "n_layer; [2]; must be a whole number",
        "n_head; 0; must be at least 1",
        "n_head; -2; must be at least 1",
        "n_inner; 0; must be at least 1",
        "n_inner; \"x\"; must be a whole number",
        "activation_function; \"mish\"; supported are gelu, gelu_fast, gelu_new",
        "activation_function; null; supported are gelu",
        "activation_function; 3; supported are gelu",
        "layer_norm_epsilon; -1e-5; must be from 0 to below 1",
        "layer_norm_epsilon; 1; must be from 0 to below 1",
        "layer_norm_epsilon; \"1e-5\"; must be a number",
        "layer_norm_epsilon; null; must be a number",
        "scale_attn_weights; 1; must be true or false",
        "scale_attn_by_inverse_layer_idx; \"no\"; must be true or false",
        "tie_word_embeddings; \"x\"; must be true or false",
        "add_cross_attention; true; cross-attention",
        "bos_token_id; \"x\"; must be a token id",
        "bos_token_id; -1; must be a token id",
        "eos_token_id; []; must be a token id",
        "eos_token_id; [1, \"a\"]; must be a token id",
        "eos_token_id; 1.5; must be a token id"
      })
  void aWrongValueIsNamedWithFileAndKey(String key, String value, String rule) throws IOException {
    set(key, value);
    // Two sizes that do not go together are reported as the first of them.
    assertRefused(config + ": ", key + " is ", rule);
  }

  @Test
  void anAliasIsCalledByItsOwnName() throws IOException {
    ObjectNode json = (ObjectNode) JSON.readTree(Files.readString(config));
    json.remove("n_layer");
    json.put("num_hidden_layers", "two");
    Files.writeString(config, JSON.writeValueAsString(json));
    assertRefused(config + ": num_hidden_layers is \"two\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "vocab_size; 256; wte.weight is [257, 16], config.json says [d_vocab=256, d_model=16]",
        "vocab_size; 2147483647; wte.weight is [257, 16], config.json says [d_vocab=2147483647",
        "n_positions; 23; wpe.weight is [24, 16], config.json says [n_ctx=23, d_model=16]",
        "n_embd; 32; wte.weight is [257, 16], config.json says [d_vocab=257, d_model=32]",
        "n_inner; 63; h.0.mlp.c_fc.weight is [16, 64], config.json says [d_model=16, d_mlp=63]",
        "n_layer; 3; h.2.ln_1.weight is missing",
        "n_layer; 2000000000; n_layer is 2000000000, but the weight files hold only 28 tensors",
        "n_layer; 1; h.1.attn.c_attn.bias is of a block that config.json does not have",
        "tie_word_embeddings; false; lm_head.weight is missing"
      })
  void weightsOfAnotherModelAreNamed(String key, String value, String found) throws IOException {
    set(key, value);
    assertRefused(model + ": ", found);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "''; is not a JSON object",
        "[]; is not a JSON object",
        "null; is not a JSON object",
        "'{\"n_layer\": 2'; is not valid JSON (Unexpected end-of-input",
        "'{\"n_layer\": 2, \"n_layer\": 2}'; is not valid JSON (Duplicate Object property",
      })
  void aDamagedConfigurationIsRefused(String content, String rule) throws IOException {
    Files.writeString(config, content);
    CliRun run = CliRun.line("info --model", model);
    assertTrue(!run.err().contains("REDACTED") && !run.err().contains("Stream"), run.err());
    assertRefused(config + ": " + rule);
  }

  @Test
  void whatIsNoModelFolderIsRefused() throws IOException {
    Path missing = folder.resolve("missing");
    CliRun.line("info --model", missing).refused(missing + ": there is no such folder");
    CliRun.line("info --model", tokens).refused(tokens + ": is a file; name the folder");
    Path empty = Files.createDirectory(folder.resolve("empty"));
    CliRun.line("info --model", empty).refused(empty.toString(), "config.json");
    Files.copy(config, empty.resolve("config.json"));
    CliRun.line("info --model", empty).refused(empty.toString(), "model.safetensors");
    Files.createFile(empty.resolve("pytorch_model.bin"));
    CliRun.line("info --model", empty).refused("pytorch_model.bin: ");
  }

  /** Nobody is refused a file by its permissions when tests run as root, so a folder stands in. */
  @ParameterizedTest
  @ValueSource(strings = {"config.json", "model.safetensors"})
  void aFileThatCannotBeReadIsNamed(String name) throws IOException {
    Files.delete(model.resolve(name));
    Files.createDirectory(model.resolve(name));
    assertRefused(model.toString(), name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vocab.json", "merges.txt"})
  void aDamagedTokenizerIsNamed(String name) throws IOException {
    Files.writeString(model.resolve(name), "{");
    assertRefused(model.resolve(name).toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{; is not valid JSON (Unexpected end-of-input",
        "{}; has no weight_map",
        "'{\"weight_map\": {\"wte.weight\": \"../other.safetensors\"}}'; not a plain file name",
        "'{\"weight_map\": {\"wte.weight\": 7}}'; not a plain file name",
        "'{\"weight_map\": {\"wte.weight\": \"a.safetensors\"}}'; but missing; fetch all shards"
      })
  void aDamagedIndexIsRefused(String content, String rule) throws IOException {
    Files.delete(weights);
    Files.writeString(model.resolve("model.safetensors.index.json"), content);
    assertRefused(model.toString(), rule);
  }

  @Test
  void aMissingTensorIsNamed() throws IOException {
    rewrite("transformer.h.1.mlp.c_proj.bias", null);
    assertRefused(model + ": tensor transformer.h.1.mlp.c_proj.bias is missing");
  }

  @Test
  void aTensorOfAnotherShapeIsNamed() throws IOException {
    rewrite("transformer.ln_f.weight", Tensor.zeros(Shape.of(Axis.D_MODEL, 15)));
    assertRefused(
        model + ": tensor transformer.ln_f.weight is [15], config.json says [d_model=16]");
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void aWeightThatIsNoNumberIsNamed(float value) throws IOException {
    for (String name : new String[] {"transformer.wte.weight", "transformer.h.1.ln_2.bias"}) {
      TinyModel.save(model, 1);
      float[] values;
      Shape shape;
      try (Safetensors file = Safetensors.open(weights)) {
        shape = file.tensor(name).shape();
        values = file.tensor(name).toArray();
      }
      values[7] = value;
      rewrite(name, Tensor.wrap(shape, values));
      Map<String, String> before = FolderListing.of(folder);
      for (String backend : new String[] {"scalar", "vector"}) {
        for (String state : new String[] {"raw", "transformerlens"}) {
          CliRun.line(
                  "run --backend " + backend + " --weights " + state + " --model",
                  model,
                  "--tokens",
                  tokens,
                  "--out",
                  folder.resolve("out.safetensors"))
              .refused(model + ": ", "weight ", state.equals("raw") ? "element 7" : "element");
        }
      }
      assertEquals(before, FolderListing.of(folder));
    }
  }

  /** Writes the weights again with one tensor replaced, or left out where there is none. */
  private void rewrite(String name, Tensor replacement) throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter();
    try (Safetensors file = Safetensors.open(weights)) {
      for (String each : file.names()) {
        if (!each.equals(name)) {
          writer.add(each, file.tensor(each));
        } else if (replacement != null) {
          writer.add(each, replacement);
        }
      }
    }
    writer.write(weights);
  }

  @Test
  void theModelThatTheseTestsDamageIsSound() throws IOException {
    run().ok();
    JsonNode json = JSON.readTree(Files.readString(config));
    assertEquals("gpt2", json.path("model_type").asString());
    rewrite("none", null);
    run().ok();
  }
}
