package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.resid.backend.Backends;
import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.io.TensorInfo;
import dev.resid.model.Gpt2;
import dev.resid.model.Gradients;
import dev.resid.model.Seed;
import dev.resid.model.Tape;
import dev.resid.model.Wanted;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.tensor.Backend;
import dev.resid.testing.TensorAssert;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GradientsCommandTest {
  private static final TokenBatch RAGGED =
      TokenBatch.of(new int[] {3, 200, 7, 9}, new int[] {42, 1}, new int[] {5});

  @TempDir private Path folder;
  private Path model;
  private Path tokens;
  private Path out;

  @BeforeEach
  void save() throws IOException {
    model = TinyModel.save(folder.resolve("model"), 3);
    tokens = folder.resolve("tokens.json");
    out = folder.resolve("out.safetensors");
    RAGGED.writeJson(tokens);
  }

  private CliRun gradients(Object... more) {
    Object[] usual = {"--model", model, "--tokens", tokens, "--out", out};
    return CliRun.line(
        "gradients", Stream.concat(Arrays.stream(usual), Arrays.stream(more)).toArray());
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void lossAndGradientsAreThoseOfTheLibrary(String backendName) throws IOException {
    gradients("--backend", backendName).ok();
    try (Backend backend = Backends.named(backendName);
        Safetensors file = Safetensors.open(out);
        Tape tape = Gpt2.load(model, backend).record(RAGGED)) {
      assertEquals(tape.meanCrossEntropyNats(), file.doubles("loss")[0]);
      Gradients expected = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      TensorAssert check = new TensorAssert(backendName, "gradient", 0);
      for (WeightNames name : Set.of(WeightNames.W_E, WeightNames.W_pos)) {
        Weight weight = Weight.of(name);
        check.sameBits(
            expected.weight(weight),
            file.tensor("transformer." + weight.fileKey(), name.shape(TinyModel.CONFIG)));
      }
      Weight out = Weight.of(WeightNames.W_out, 1);
      check.sameBits(
          expected.weight(out),
          file.tensor("transformer.h.1.mlp.c_proj.weight", out.name().shape(TinyModel.CONFIG)));
    }
  }

  /** Query, key and value gradients stand side by side, as the weights do. */
  @Test
  void fusedGradientsAreQueriesThenKeysThenValues() throws IOException {
    gradients("--backend", "vector").ok();
    int width = TinyModel.CONFIG.dModel();
    try (Backend backend = Backends.named("vector");
        Safetensors file = Safetensors.open(out);
        Tape tape = Gpt2.load(model, backend).record(RAGGED)) {
      Gradients expected = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      double[] fused = file.doubles("transformer.h.0.attn.c_attn.weight");
      WeightNames[] thirds = {WeightNames.W_Q, WeightNames.W_K, WeightNames.W_V};
      for (int third = 0; third < 3; third++) {
        float[] part = expected.weight(Weight.of(thirds[third], 0)).toArray();
        for (int i = 0; i < part.length; i++) {
          int column = third * width + i % width;
          assertEquals(part[i], fused[i / width * 3 * width + column], thirds[third] + " " + i);
        }
      }
    }
  }

  @Test
  void theNamesAndSizesAreThoseOfTheCheckpoint() throws IOException {
    gradients().ok();
    assertEquals(sizes(model.resolve("model.safetensors")), sizesWithoutLoss());
    Path bare = Files.createDirectory(folder.resolve("bare"));
    Files.copy(model.resolve("config.json"), bare.resolve("config.json"));
    try (Safetensors file = Safetensors.open(model.resolve("model.safetensors"))) {
      SafetensorsWriter writer = new SafetensorsWriter();
      for (String name : file.names()) {
        writer.add(name.substring("transformer.".length()), file.tensor(name));
      }
      writer.write(bare.resolve("model.safetensors"));
    }
    byte[] prefixed = Files.readAllBytes(out);
    model = bare;
    gradients().ok();
    assertEquals(sizes(bare.resolve("model.safetensors")), sizesWithoutLoss());
    assertFalse(Arrays.equals(prefixed, Files.readAllBytes(out)), "other names");
  }

  private Set<String> sizesWithoutLoss() throws IOException {
    Set<String> sizes = sizes(out);
    assertEquals(true, sizes.remove("loss []"));
    return sizes;
  }

  private static Set<String> sizes(Path path) throws IOException {
    try (Safetensors file = Safetensors.open(path)) {
      return file.entries().stream()
          .map((TensorInfo info) -> info.name() + " " + info.shape())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Test
  void rowsWithoutANextTokenAreRefused() throws IOException {
    TokenBatch.of(new int[] {3}, new int[] {4}).writeJson(tokens);
    gradients().refused(tokens.toString(), "no row has two tokens");
    assertFalse(Files.exists(out));
  }
}
