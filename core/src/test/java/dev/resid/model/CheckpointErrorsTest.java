package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.io.DType;
import dev.resid.io.SafetensorsException;
import dev.resid.io.SafetensorsWriter;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Damaged and contradictory checkpoint directories. Each is refused by a checked exception that
 * names file and key.
 */
class CheckpointErrorsTest {
  @TempDir Path temporary;

  private TestCheckpoint tied;
  private TestCheckpoint untied;

  @BeforeEach
  void write() throws IOException {
    tied = new TestCheckpoint(temporary.resolve("tied"), ModelCase.of(41_000));
    untied = new TestCheckpoint(temporary.resolve("untied"), ModelCase.of(41_004));
    load(tied);
    load(untied);
  }

  private static Gpt2 load(TestCheckpoint checkpoint) throws IOException {
    return Gpt2.load(checkpoint.dir(), new ScalarBackend());
  }

  /** Loads and returns the message, which must name everything given. */
  private static String refused(TestCheckpoint checkpoint, String... named) {
    IOException error = assertThrows(IOException.class, () -> load(checkpoint));
    for (String part : named) {
      assertTrue(error.getMessage().contains(part), part + " is not in: " + error.getMessage());
    }
    assertTrue(error.getMessage().contains(checkpoint.dir().toString()), error.getMessage());
    return error.getMessage();
  }

  @Test
  void missingFolderIsNamed() {
    Path missing = temporary.resolve("nowhere");
    IOException error =
        assertThrows(IOException.class, () -> Gpt2.load(missing, new ScalarBackend()));
    assertTrue(error.getMessage().contains(missing.toString()), error.getMessage());
    assertTrue(error.getMessage().contains("no such folder"), error.getMessage());
  }

  @Test
  void missingConfigurationIsNamed() throws IOException {
    Files.delete(tied.dir().resolve("config.json"));
    refused(tied, "config.json");
  }

  @Test
  void missingWeightsAreNamed() throws IOException {
    Files.delete(tied.dir().resolve("model.safetensors"));
    refused(tied, "model.safetensors", "index.json");
    Files.createFile(tied.dir().resolve("pytorch_model.bin"));
    refused(tied, "pytorch_model.bin");
  }

  @Test
  void everyMissingTensorIsNamed() throws IOException {
    Map<String, Tensor> all = untied.tensors();
    for (String name : all.keySet()) {
      Map<String, Tensor> rest = new HashMap<>(all);
      rest.remove(name);
      untied.write("model.safetensors", rest);
      // Without the embedding the prefix cannot be told, so the name lacks it.
      refused(untied, name.equals("transformer.wte.weight") ? "wte.weight" : name, "missing");
    }
  }

  @Test
  void missingUnembeddingOfAnUntiedModelSaysWhyItIsNeeded() throws IOException {
    Map<String, Tensor> rest = untied.tensors();
    rest.remove("lm_head.weight");
    untied.write("model.safetensors", rest);
    refused(untied, "lm_head.weight", "tie_word_embeddings is false");
  }

  @Test
  void everyWrongShapeIsNamedWithBothShapes() throws IOException {
    Map<String, Tensor> all = untied.tensors();
    for (Map.Entry<String, Tensor> entry : all.entrySet()) {
      Map<String, Tensor> changed = new HashMap<>(all);
      int elements = Math.toIntExact(entry.getValue().elements());
      changed.put(
          entry.getKey(),
          entry.getValue().reshape(Shape.of(Axis.ROW, 1, Axis.IN, elements, Axis.OUT, 1)));
      untied.write("model.safetensors", changed);
      refused(untied, entry.getKey(), "[1, " + elements + ", 1]", "config.json");
    }
  }

  @Test
  void configurationOfAnotherModelIsToldByTheFirstShapeThatDiffers() throws IOException {
    int tokens = tied.model().config().dVocab();
    tied.config("vocab_size", String.valueOf(tokens + 1));
    refused(tied, "wte.weight", "[" + tokens, "d_vocab=" + (tokens + 1));
    tied.config("vocab_size", String.valueOf(tokens));
    tied.config("n_positions", "7");
    refused(tied, "wpe.weight", "n_ctx=7");
    tied.config("n_positions", String.valueOf(tied.model().config().nCtx()));
    tied.config("n_layer", "9");
    refused(tied, "h.3.", "missing");
  }

  @Test
  void integersAreNoWeights() throws IOException {
    for (String name : new String[] {"transformer.wte.weight", "transformer.h.0.mlp.c_fc.bias"}) {
      Map<String, Tensor> all = tied.tensors();
      Tensor weight = all.remove(name);
      SafetensorsWriter writer = new SafetensorsWriter();
      all.forEach(writer::add);
      writer.add(name, weight.shape(), new long[Math.toIntExact(weight.elements())]);
      writer.write(tied.dir().resolve("model.safetensors"));
      refused(tied, name, "I64");
      assertThrows(CheckpointException.class, () -> Gpt2Checkpoint.open(tied.dir()));
      tied = new TestCheckpoint(tied.dir(), tied.model());
    }
  }

  @Test
  void aHeadThatContradictsTheTieIsNamedByItsFirstToken() throws IOException {
    Map<String, Tensor> all = tied.tensors();
    Tensor head = all.get("transformer.wte.weight");
    all.put("lm_head.weight", head);
    tied.write("model.safetensors", all);
    load(tied);
    Axis tokens = head.shape().dims().getFirst().axis();
    all.put("lm_head.weight", head.with(tokens, 5, head.at(tokens, 5).times(1.5)));
    tied.write("model.safetensors", all);
    refused(tied, "lm_head.weight", "token 5", "tie_word_embeddings");
    all.put("lm_head.weight", head.slice(tokens, 0, 3));
    tied.write("model.safetensors", all);
    refused(tied, "lm_head.weight", "[3, ");
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void everyWeightThatIsNoNumberIsNamedWithItsElement(float value) throws IOException {
    Map<String, Tensor> all = untied.tensors();
    for (Map.Entry<String, Tensor> entry : all.entrySet()) {
      float[] values = entry.getValue().toArray();
      int element = values.length - 1;
      values[element] = value;
      Map<String, Tensor> changed = new HashMap<>(all);
      changed.put(entry.getKey(), Tensor.of(entry.getValue().shape(), values));
      untied.write("model.safetensors", changed);
      String key = entry.getKey().replace("transformer.", "");
      refused(untied, key, String.valueOf(value), "element");
    }
  }

  @Test
  void weightsInMemoryThatAreNoNumbersAreRefusedToo() {
    ModelCase c = tied.model();
    Map<Weight, Tensor> weights = new HashMap<>();
    Weight.all(c.config()).forEach(w -> weights.put(w, c.weights().get(w)));
    weights.remove(Weight.of(WeightNames.W_U));
    weights.computeIfPresent(
        Weight.of(WeightNames.b_in, 1), (w, tensor) -> tensor.map(x -> Float.NaN));
    NonFiniteWeightException error =
        assertThrows(
            NonFiniteWeightException.class,
            () -> Gpt2.of(Gpt2Weights.of(c.config(), weights), new ScalarBackend()));
    assertTrue(error.getMessage().contains("blocks.1.mlp.b_in"), error.getMessage());
    assertTrue(error.getMessage().contains("element 0"), error.getMessage());
  }

  @Test
  void aDamagedWeightFileIsNamed() throws IOException {
    Path file = tied.dir().resolve("model.safetensors");
    byte[] content = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(content, content.length - 1));
    assertThrows(SafetensorsException.class, () -> load(tied));
    refused(tied, "model.safetensors");
    Files.write(file, new byte[0]);
    refused(tied, "model.safetensors");
  }

  @Test
  void shardsLoadLikeOneFile() throws IOException {
    Tensor before = load(tied).forward(tied.model().tokens()).logits();
    tied.shard();
    Tensor after = load(tied).forward(tied.model().tokens()).logits();
    assertTrue(before.sameBits(after));
  }

  @Test
  void aMissingShardIsNamed() throws IOException {
    tied.shard();
    Files.delete(tied.dir().resolve("model-00002-of-00002.safetensors"));
    refused(tied, "model-00002-of-00002.safetensors", "index.json");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../tied/model-00001-of-00002.safetensors",
        "/etc/hostname",
        "a/b.safetensors",
        "..",
        ".",
        "",
        ".hidden",
        "a\\b",
        "model\u0000.safetensors",
        "C:model.safetensors",
        "~model"
      })
  void shardNamesThatLeaveTheFolderAreRefused(String name) throws IOException {
    Map<String, String> map = tied.shard();
    map.put("transformer.wpe.weight", name);
    tied.index(map);
    refused(tied, "index.json", "transformer.wpe.weight", "plain file name");
  }

  @Test
  void anIndexThatMapsWronglyIsNamed() throws IOException {
    Map<String, String> map = tied.shard();
    String name = "transformer.wpe.weight";
    String right = map.get(name);
    map.put(name, right.replace(right.charAt(10), right.charAt(10) == '1' ? '2' : '1'));
    tied.index(map);
    refused(tied, "index.json", name);
    map.put(name, right);
    map.put("transformer.h.99.ln_1.weight", right);
    tied.index(map);
    refused(tied, "index.json", "transformer.h.99.ln_1.weight", right);
  }

  @Test
  void aTensorInTwoShardsIsNamed() throws IOException {
    Map<String, Tensor> all = tied.tensors();
    tied.shard();
    tied.write("model-00001-of-00002.safetensors", all);
    refused(tied, "another shard");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "{}",
        "{\"weight_map\": {}}",
        "{\"weight_map\": []}",
        "{\"weight_map\": {\"a\": null}}",
        "{\"weight_map\": {\"a\": [\"b\"]}}"
      })
  void aDamagedIndexIsNamed(String text) throws IOException {
    tied.shard();
    tied.index(text);
    refused(tied, "model.safetensors.index.json");
  }

  @Test
  void aClosedCheckpointSaysSo() throws IOException {
    Gpt2Checkpoint checkpoint = Gpt2Checkpoint.open(tied.dir());
    Gpt2Weights weights = checkpoint.weights();
    Tensor embedding = weights.get(Weight.of(WeightNames.W_E));
    checkpoint.close();
    checkpoint.close();
    for (Weight weight : Weight.all(checkpoint.config())) {
      if (weight.name() == WeightNames.b_U) {
        continue; // is in no file
      }
      IllegalStateException error =
          assertThrows(IllegalStateException.class, () -> weights.get(weight));
      assertTrue(error.getMessage().contains("close"), error.getMessage());
      assertTrue(error.getMessage().contains("model.safetensors"), error.getMessage());
    }
    IllegalStateException error = assertThrows(IllegalStateException.class, embedding::toArray);
    assertTrue(error.getMessage().contains("close"), error.getMessage());
  }

  @Test
  void aLoadedModelDoesNotNeedItsFiles() throws IOException {
    Gpt2 gpt2 = load(tied);
    Tensor before = gpt2.forward(tied.model().tokens()).logits();
    Files.write(tied.dir().resolve("model.safetensors"), new byte[10]);
    assertTrue(before.sameBits(gpt2.forward(tied.model().tokens()).logits()));
  }

  @Test
  void superfluousTensorsAreNoError() throws IOException {
    Map<String, Tensor> all = tied.tensors();
    all.put("transformer.h.0.attn.bias", Tensor.zeros(Shape.of(Axis.ROW, 3)));
    all.put("transformer.h.0.attn.masked_bias", Tensor.zeros(Shape.of()));
    all.put("something.else", Tensor.zeros(Shape.of(Axis.ROW, 2)));
    tied.write("model.safetensors", all);
    load(tied);
  }

  @Test
  void rewrittenWeightsCannotBeSaved() {
    for (WeightTransform transform : WeightTransform.values()) {
      Gpt2Weights rewritten = WeightTransforms.of(transform).apply(tied.model().weights());
      Path to = temporary.resolve("rewritten");
      IllegalStateException error =
          assertThrows(
              IllegalStateException.class, () -> Gpt2Checkpoint.save(rewritten, DType.F32, to));
      assertTrue(error.getMessage().contains("b_U"), error.getMessage());
      assertTrue(!Files.exists(to), "nothing is written");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"F64", "I64", "U8", "F8_E4M3"})
  void onlyFloatsOfUpTo32BitsCanBeSaved(DType dtype) {
    Path to = temporary.resolve("other");
    IllegalArgumentException error =
        assertThrows(
            IllegalArgumentException.class,
            () -> Gpt2Checkpoint.save(tied.model().weights(), dtype, to));
    assertTrue(error.getMessage().contains(dtype.name()), error.getMessage());
    assertTrue(!Files.exists(to), "nothing is written");
  }

  @Test
  void valuesTooLargeForTheirDtypeCannotBeSaved() throws IOException {
    ModelCase c = tied.model();
    Map<Weight, Tensor> weights = new HashMap<>();
    Weight.all(c.config()).forEach(w -> weights.put(w, c.weights().get(w)));
    weights.remove(Weight.of(WeightNames.W_U));
    weights.computeIfPresent(Weight.of(WeightNames.b_in, 0), (w, t) -> t.map(x -> 70_000));
    Gpt2Weights large = Gpt2Weights.of(c.config(), weights);
    Path to = temporary.resolve("large");
    IllegalArgumentException error =
        assertThrows(
            IllegalArgumentException.class, () -> Gpt2Checkpoint.save(large, DType.F16, to));
    assertTrue(error.getMessage().contains("h.0.mlp.c_fc.bias"), error.getMessage());
    assertEquals(0, files(to), "nothing half-written is left");
    Gpt2Checkpoint.save(large, DType.BF16, to);
  }

  private static long files(Path dir) throws IOException {
    if (!Files.exists(dir)) {
      return 0;
    }
    try (var all = Files.list(dir)) {
      return all.count();
    }
  }
}
