package dev.resid.model;

import dev.resid.io.DType;
import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A small valid checkpoint directory that tests damage in one place. */
final class TestCheckpoint {
  private static final JsonMapper JSON = JsonMapper.shared();

  private final Path dir;
  private final ModelCase model;

  TestCheckpoint(Path dir, ModelCase model) throws IOException {
    this.dir = dir;
    this.model = model;
    Gpt2Checkpoint.save(model.weights(), DType.F32, dir);
  }

  Path dir() {
    return dir;
  }

  ModelCase model() {
    return model;
  }

  /** Puts a value, given as JSON, into config.json. */
  void config(String key, String json) throws IOException {
    ObjectNode root = readConfig();
    root.set(key, JSON.readTree(json));
    Files.writeString(dir.resolve("config.json"), JSON.writeValueAsString(root));
  }

  /** Takes keys out of config.json. */
  void withoutConfig(String... keys) throws IOException {
    ObjectNode root = readConfig();
    for (String key : keys) {
      root.remove(key);
    }
    Files.writeString(dir.resolve("config.json"), JSON.writeValueAsString(root));
  }

  private ObjectNode readConfig() throws IOException {
    JsonNode root = JSON.readTree(Files.readAllBytes(dir.resolve("config.json")));
    return (ObjectNode) root;
  }

  /** Returns every tensor of the weight file by name. */
  Map<String, Tensor> tensors() throws IOException {
    Map<String, Tensor> all = new TreeMap<>();
    try (Safetensors file = Safetensors.open(dir.resolve("model.safetensors"))) {
      for (String name : file.names()) {
        all.put(name, file.tensor(name));
      }
    }
    return all;
  }

  /** Writes a weight file of these tensors. */
  void write(String file, Map<String, Tensor> tensors) throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter();
    tensors.forEach(writer::add);
    writer.write(dir.resolve(file));
  }

  /** Splits the weight file into two shards by turns and writes their index. */
  Map<String, String> shard() throws IOException {
    Map<String, Tensor> first = new TreeMap<>();
    Map<String, Tensor> second = new TreeMap<>();
    Map<String, String> map = new TreeMap<>();
    for (Map.Entry<String, Tensor> entry : tensors().entrySet()) {
      boolean turn = map.size() % 2 == 0;
      (turn ? first : second).put(entry.getKey(), entry.getValue());
      map.put(entry.getKey(), "model-0000" + (turn ? 1 : 2) + "-of-00002.safetensors");
    }
    write("model-00001-of-00002.safetensors", first);
    write("model-00002-of-00002.safetensors", second);
    Files.delete(dir.resolve("model.safetensors"));
    index(map);
    return map;
  }

  /** Writes the index of shards. */
  void index(Map<String, String> weightMap) throws IOException {
    ObjectNode root = JSON.createObjectNode();
    ObjectNode map = root.putObject("weight_map");
    weightMap.forEach(map::put);
    index(JSON.writeValueAsString(root));
  }

  /** Writes any text as the index of shards. */
  void index(String text) throws IOException {
    Files.writeString(dir.resolve("model.safetensors.index.json"), text);
  }
}
