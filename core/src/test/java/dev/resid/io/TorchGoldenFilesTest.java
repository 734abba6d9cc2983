package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.testing.Shared;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that PyTorch itself wrote. */
class TorchGoldenFilesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"state_dict", "state_dict_protocol4", "dtypes", "views", "nested", "parameters"})
  void everyTensorIsTheOneThatWasSaved(String name) throws IOException {
    Path dir = Shared.require("goldens/torch/pt-files");
    try (TensorFile found = TensorFile.open(dir.resolve(name + ".pt"));
        Safetensors all = Safetensors.open(dir.resolve("expected.safetensors"))) {
      String prefix = name.startsWith("state_dict") ? "state_dict.pt/" : name + ".pt/";
      Set<String> keys = new TreeSet<>();
      for (String key : all.names()) {
        if (key.startsWith(prefix)) {
          String path = key.substring(prefix.length());
          String mine = found.has(path) ? path : path.replace('/', '.');
          same(all, key, found, mine);
          keys.add(mine);
        }
      }
      assertEquals(keys, new TreeSet<>(found.names()));
      assertTrue(found instanceof TorchCheckpoint);
    }
  }

  @Test
  void theScalarsOfANestedDictionaryAreKept() throws IOException {
    Path dir = Shared.require("goldens/torch/pt-files");
    try (TorchCheckpoint file = TorchCheckpoint.open(dir.resolve("nested.pt"))) {
      assertEquals(
          Map.of(
              "epoch",
              3L,
              "lr",
              0.0005,
              "name",
              "tiny",
              "cfg.d_in",
              5L,
              "cfg.list.0",
              1L,
              "cfg.list.1",
              2.5,
              "cfg.list.3",
              true),
          file.scalars());
    }
  }

  @Test
  void aPickledModuleAndTheOldFormatAreRefused() throws IOException {
    Path dir = Shared.require("goldens/torch/pt-files");
    Path module = dir.resolve("whole_module.pt");
    TensorFileException e = assertThrows(TensorFileException.class, () -> TensorFile.open(module));
    assertTrue(e.getMessage().contains("torch.nn.modules.linear.Linear"), e.getMessage());
    Path legacy = dir.resolve("state_dict_legacy.pt");
    e = assertThrows(TensorFileException.class, () -> TensorFile.open(legacy));
    assertTrue(e.getMessage().contains("before PyTorch 1.6"), e.getMessage());
  }

  @Test
  void aTrainingRunsCheckpointEqualsItsSafetensors() throws IOException {
    Path dir = Shared.require("goldens/e2e_sae/local");
    try (TensorFile found = TensorFile.open(dir.resolve("saes_before.pt"));
        Safetensors expected = Safetensors.open(dir.resolve("saes_before.safetensors"))) {
      assertEquals(new TreeSet<>(expected.names()), new TreeSet<>(found.names()));
      for (String name : expected.names()) {
        same(expected, name, found, name);
      }
    }
  }

  private static void same(TensorFile expected, String key, TensorFile found, String name)
      throws IOException {
    TensorInfo info = expected.entry(key);
    assertEquals(info.dtype(), found.entry(name).dtype(), key);
    assertEquals(List.copyOf(info.shape()), found.entry(name).shape(), key);
    if (info.dtype().isFloat()) {
      assertArrayEquals(expected.doubles(key), found.doubles(name), key);
      assertTrue(expected.tensor(key).sameBits(found.mapped(name)), key);
    } else {
      assertArrayEquals(expected.longs(key), found.longs(name), key);
    }
  }
}
