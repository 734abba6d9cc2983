package dev.resid.sae.io;

import dev.resid.io.TensorFile;
import dev.resid.io.TorchCheckpoint;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Finds out which of the published kinds a folder or file is. */
final class SaeKinds {
  private static final String EXPECTED =
      "Expected "
          + SaeLensReader.WEIGHTS
          + " (SAELens), "
          + SparsifyReader.WEIGHTS
          + " (sparsify), "
          + DictionaryLearningReader.WEIGHTS
          + " (dictionary_learning), or a single .pt or .safetensors file";

  private SaeKinds() {}

  static SaeContents ofFolder(SaeFolder.Disk folder, Stated stated) throws IOException {
    Map<String, String> kinds = new TreeMap<>();
    kinds.put(SaeLensReader.WEIGHTS, SaeLensReader.CONFIG);
    kinds.put(SparsifyReader.WEIGHTS, SparsifyReader.CONFIG);
    kinds.put(DictionaryLearningReader.WEIGHTS, DictionaryLearningReader.CONFIG);
    List<String> found = kinds.keySet().stream().filter(folder::has).toList();
    if (found.isEmpty()) {
      return ofFile(folder, onlyTensorFile(folder), stated);
    }
    if (found.size() > 1) {
      throw new SaeCheckpointException(
          folder.dir()
              + ": holds SAEs of several kinds ("
              + String.join(", ", found)
              + "). Name one of the files");
    }
    return ofWeights(folder, found.getFirst(), kinds.get(found.getFirst()), stated);
  }

  static SaeContents ofFile(SaeFolder.Disk folder, String name, Stated stated) throws IOException {
    switch (name) {
      case SaeLensReader.WEIGHTS -> {
        return ofWeights(folder, name, SaeLensReader.CONFIG, stated);
      }
      case SparsifyReader.WEIGHTS -> {
        return ofWeights(folder, name, SparsifyReader.CONFIG, stated);
      }
      case DictionaryLearningReader.WEIGHTS -> {
        return ofWeights(folder, name, DictionaryLearningReader.CONFIG, stated);
      }
      default -> {}
    }
    TensorFile file = folder.tensors(name);
    try {
      SaeContents contents = recognised(folder, name, file, stated);
      contents.check();
      return contents;
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private static SaeContents ofWeights(
      SaeFolder folder, String weights, String config, Stated stated) throws IOException {
    if (!folder.has(config)) {
      throw new SaeCheckpointException(
          folder.path(config) + ": is missing beside " + weights + ". Fetch it into the folder");
    }
    return switch (weights) {
      case SaeLensReader.WEIGHTS -> SaeLensReader.read(folder, stated);
      case SparsifyReader.WEIGHTS -> SparsifyReader.read(folder, stated);
      default -> DictionaryLearningReader.read(folder, stated);
    };
  }

  private static SaeContents recognised(
      SaeFolder folder, String name, TensorFile file, Stated stated) throws IOException {
    if (ApolloReader.recognises(file)) {
      return ApolloReader.read(file, stated);
    }
    if (file instanceof TorchCheckpoint torch && OpenAiReader.recognises(torch)) {
      return OpenAiReader.read(torch, stated);
    }
    if (file.has("W_enc") && folder.has(HookZReader.configOf(name))) {
      return HookZReader.read(folder, name, file, stated);
    }
    throw new SaeCheckpointException(
        folder.path(name)
            + ": its tensors are those of no known kind of SAE: "
            + SaeJson.shown(file.names().toString())
            + ". Name the folder of an SAE, with its configuration");
  }

  private static String onlyTensorFile(SaeFolder.Disk folder) throws IOException {
    List<String> files = folder.tensorFiles();
    if (files.size() != 1) {
      throw new SaeCheckpointException(
          folder.dir()
              + ": holds "
              + (files.isEmpty() ? "no SAE" : files.size() + " files of tensors")
              + ". "
              + (files.isEmpty() ? EXPECTED : "Name one of them"));
    }
    return files.getFirst();
  }
}
