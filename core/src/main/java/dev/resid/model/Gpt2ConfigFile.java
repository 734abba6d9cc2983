package dev.resid.model;

import dev.resid.io.JsonComplaint;
import dev.resid.io.JsonTree;
import dev.resid.io.Printable;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.model.Gpt2Config.ScoreScale;
import dev.resid.tensor.Activation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Reads and writes the config.json of a Hugging Face GPT-2 directory. */
final class Gpt2ConfigFile {
  private static final Map<String, Activation> ACTIVATIONS =
      Map.of(
          "gelu_new", Activation.GELU_NEW,
          "gelu_pytorch_tanh", Activation.GELU_NEW,
          "gelu", Activation.GELU,
          "gelu_fast", Activation.GELU_FAST,
          "quick_gelu", Activation.QUICK_GELU,
          "relu", Activation.RELU,
          "silu", Activation.SILU,
          "swish", Activation.SILU,
          "tanh", Activation.TANH);

  private final Path file;
  private final JsonNode root;

  private Gpt2ConfigFile(Path file, JsonNode root) {
    this.file = file;
    this.root = root;
  }

  /**
   * Returns what the file says.
   *
   * @throws CheckpointException if it is no GPT-2 configuration
   */
  static Gpt2Config parse(Path file, byte[] content) throws IOException {
    JsonNode root;
    try {
      root = JsonTree.read(content);
    } catch (JacksonException e) {
      throw new CheckpointException(
          file
              + ": is not valid JSON ("
              + JsonComplaint.of(e)
              + "). Correct the file, or fetch it again");
    }
    if (!root.isObject()) {
      throw new CheckpointException(
          file + ": is not a JSON object. Correct the file, or fetch it again");
    }
    return new Gpt2ConfigFile(file, root).config();
  }

  private Gpt2Config config() throws CheckpointException {
    JsonNode type = root.path("model_type");
    if (!type.isMissingNode() && !"gpt2".equals(type.asString(""))) {
      throw error("model_type", "is " + type + ", only \"gpt2\" is supported");
    }
    requireArchitecture();
    if (flag("add_cross_attention", false)) {
      throw error("add_cross_attention", "is true; models with cross-attention are not supported");
    }
    int dModel = number("n_embd", "hidden_size", 768);
    JsonNode inner = root.path("n_inner");
    boolean usual = inner.isMissingNode() || inner.isNull();
    try {
      return new Gpt2Config(
          number("n_layer", "num_hidden_layers", 12),
          number("n_head", "num_attention_heads", 12),
          dModel,
          usual ? Math.multiplyExact(4, dModel) : number("n_inner", "n_inner", 0),
          number("vocab_size", "vocab_size", 50257),
          number("n_positions", "max_position_embeddings", 1024),
          activation(),
          epsilon(),
          scores(),
          flag("tie_word_embeddings", true) ? Embeddings.TIED : Embeddings.UNTIED,
          token("bos_token_id"),
          token("eos_token_id"));
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(file + ": " + e.getMessage());
    } catch (ArithmeticException e) {
      throw error("n_embd", "is " + dModel + ", far more than any GPT-2 has");
    }
  }

  /** A file without model_type may say what it is for by its architectures alone. */
  private void requireArchitecture() throws CheckpointException {
    JsonNode names = root.path("architectures");
    if (names.isMissingNode() || names.isNull() || (names.isArray() && names.isEmpty())) {
      return;
    }
    boolean ours = false;
    for (JsonNode name : names) {
      ours |= name.isString() && name.asString().startsWith("GPT2");
    }
    if (!names.isArray() || !ours) {
      throw error("architectures", "is " + names + ", supported is [\"GPT2LMHeadModel\"]");
    }
  }

  private ScoreScale scores() throws CheckpointException {
    boolean width = flag("scale_attn_weights", true);
    boolean layer = flag("scale_attn_by_inverse_layer_idx", false);
    if (width) {
      return layer ? ScoreScale.BY_WIDTH_AND_LAYER : ScoreScale.BY_WIDTH;
    }
    return layer ? ScoreScale.BY_LAYER : ScoreScale.NONE;
  }

  private Activation activation() throws CheckpointException {
    JsonNode node = root.path("activation_function");
    String name = node.isMissingNode() ? "gelu_new" : node.asString("");
    Activation activation = ACTIVATIONS.get(name);
    if (activation == null) {
      throw error(
          "activation_function",
          "is "
              + node
              + ", supported are "
              + String.join(", ", ACTIVATIONS.keySet().stream().sorted().toList()));
    }
    return activation;
  }

  private double epsilon() throws CheckpointException {
    JsonNode node = root.path("layer_norm_epsilon");
    if (node.isMissingNode()) {
      return 1e-5;
    }
    if (!node.isNumber()) {
      throw error("layer_norm_epsilon", "is " + node + ", must be a number");
    }
    return node.asDouble();
  }

  private OptionalInt token(String key) throws CheckpointException {
    JsonNode node = root.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return OptionalInt.empty();
    }
    boolean ids = node.isArray() ? !node.isEmpty() : isId(node);
    if (node.isArray()) {
      for (JsonNode each : node) {
        ids &= isId(each);
      }
    }
    if (!ids) {
      throw error(key, "is " + node + ", must be a token id");
    }
    return OptionalInt.of((node.isArray() ? node.get(0) : node).asInt());
  }

  private static boolean isId(JsonNode node) {
    return node.isIntegralNumber() && node.canConvertToInt() && node.asInt() >= 0;
  }

  private int number(String key, String alias, int fallback) throws CheckpointException {
    String name = root.has(key) ? key : alias;
    JsonNode node = root.path(name);
    if (node.isMissingNode()) {
      return fallback;
    }
    if (!node.isIntegralNumber() || !node.canConvertToInt()) {
      throw error(name, "is " + node + ", must be a whole number below 2^31");
    }
    return node.asInt();
  }

  private boolean flag(String key, boolean fallback) throws CheckpointException {
    JsonNode node = root.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return fallback;
    }
    if (!node.isBoolean()) {
      throw error(key, "is " + node + ", must be true or false");
    }
    return node.asBoolean();
  }

  private CheckpointException error(String key, String what) {
    return new CheckpointException(file + ": " + key + " " + Printable.sentence(what));
  }

  /**
   * Returns the file's content for a model without cross-attention; weights are F32 or narrower.
   */
  static String write(Gpt2Config config, String dtype) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("architectures", List.of("GPT2LMHeadModel"));
    json.put("model_type", "gpt2");
    json.put("activation_function", name(config.activation()));
    json.put("n_layer", config.nLayers());
    json.put("n_head", config.nHeads());
    json.put("n_embd", config.dModel());
    json.put("n_inner", config.dMlp() == 4 * config.dModel() ? null : config.dMlp());
    json.put("n_positions", config.nCtx());
    json.put("vocab_size", config.dVocab());
    json.put("layer_norm_epsilon", config.layerNormEpsilon());
    ScoreScale scores = config.scores();
    json.put(
        "scale_attn_weights",
        scores == ScoreScale.BY_WIDTH || scores == ScoreScale.BY_WIDTH_AND_LAYER);
    json.put(
        "scale_attn_by_inverse_layer_idx",
        scores == ScoreScale.BY_LAYER || scores == ScoreScale.BY_WIDTH_AND_LAYER);
    json.put("tie_word_embeddings", config.embeddings() == Embeddings.TIED);
    json.put("bos_token_id", boxed(config.bosToken()));
    json.put("eos_token_id", boxed(config.eosToken()));
    json.put("torch_dtype", dtype);
    ObjectMapper mapper = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    return mapper.writeValueAsString(json) + "\n";
  }

  private static Integer boxed(OptionalInt token) {
    return token.isPresent() ? Integer.valueOf(token.getAsInt()) : null;
  }

  private static String name(Activation activation) {
    return switch (activation) {
      case GELU_NEW -> "gelu_new";
      case GELU -> "gelu";
      case GELU_FAST -> "gelu_fast";
      case QUICK_GELU -> "quick_gelu";
      case RELU -> "relu";
      case SILU -> "silu";
      case TANH -> "tanh";
      case IDENTITY -> throw new IllegalArgumentException("a checkpoint cannot name " + activation);
    };
  }
}
