package dev.resid.model;

import dev.resid.io.JsonComplaint;
import dev.resid.io.JsonTree;
import dev.resid.io.Printable;
import dev.resid.io.ReadFailure;
import dev.resid.io.Safetensors;
import dev.resid.io.TensorFile;
import dev.resid.io.TorchCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** The weight files of a checkpoint: one, or several with an index. */
final class CheckpointShards {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final String TORCH = "pytorch_model.bin";

  /** What the weights can be, best first: one file, the index of several, or PyTorch's file. */
  static final List<String> NAMES = List.of(SINGLE, INDEX, TORCH);

  private CheckpointShards() {}

  /**
   * Returns the weight files of a directory.
   *
   * @throws IOException if there are none, or the index is damaged or names a missing file
   */
  static List<Path> find(Path dir) throws IOException {
    if (Files.isRegularFile(dir.resolve(SINGLE))) {
      return List.of(dir.resolve(SINGLE));
    }
    Path index = dir.resolve(INDEX);
    if (!Files.isRegularFile(index)) {
      if (Files.isRegularFile(dir.resolve(TORCH))) {
        return List.of(dir.resolve(TORCH));
      }
      throw new CheckpointException(
          dir + ": has neither " + SINGLE + " nor " + INDEX + " nor " + TORCH);
    }
    List<Path> files = new ArrayList<>();
    for (String name : new TreeSet<>(weightMap(index).values())) {
      if (!Files.isRegularFile(dir.resolve(name))) {
        throw new CheckpointException(
            dir.resolve(name) + ": named by " + INDEX + " but missing; fetch all shards");
      }
      files.add(dir.resolve(name));
    }
    return files;
  }

  /**
   * Returns the names of the files that a file of {@link #NAMES} asks for.
   *
   * @throws IOException if it is an index and damaged
   */
  static List<String> named(Path file) throws IOException {
    return file.endsWith(INDEX) ? List.copyOf(new TreeSet<>(weightMap(file).values())) : List.of();
  }

  /**
   * Returns the open file of every tensor, by tensor name.
   *
   * @throws IOException if a file is damaged, two hold the same tensor, or the index is wrong
   */
  static Map<String, TensorFile> open(Path dir, List<Path> files) throws IOException {
    Map<String, TensorFile> byTensor = new TreeMap<>();
    Set<TensorFile> opened = new HashSet<>();
    try {
      for (Path path : files) {
        TensorFile file =
            path.endsWith(TORCH) ? TorchCheckpoint.open(path) : Safetensors.open(path);
        opened.add(file);
        for (String name : file.names()) {
          if (byTensor.put(name, file) != null) {
            throw new CheckpointException(
                path + ": tensor " + name + " is in another shard too; the shards do not match");
          }
        }
      }
      Path index = dir.resolve(INDEX);
      if (!files.equals(List.of(dir.resolve(SINGLE)))
          && !files.equals(List.of(dir.resolve(TORCH)))) {
        for (Map.Entry<String, String> entry : weightMap(index).entrySet()) {
          TensorFile file = byTensor.get(entry.getKey());
          if (file == null || !file.file().getFileName().toString().equals(entry.getValue())) {
            throw new CheckpointException(
                index
                    + ": says tensor "
                    + entry.getKey()
                    + " is in "
                    + entry.getValue()
                    + ", where it is not; the shards do not match the index");
          }
        }
      }
      return byTensor;
    } catch (IOException | RuntimeException e) {
      opened.forEach(TensorFile::close);
      throw e;
    }
  }

  static void close(Map<String, TensorFile> files) {
    files.values().forEach(TensorFile::close);
  }

  private static Map<String, String> weightMap(Path index) throws IOException {
    return weightMap(index, ReadFailure.bytes(index));
  }

  /** Returns which file has which tensor, from the bytes of an index. */
  static Map<String, String> weightMap(Path index, byte[] json) throws CheckpointException {
    JsonNode map;
    try {
      map = JsonTree.read(json).path("weight_map");
    } catch (JacksonException e) {
      throw new CheckpointException(
          index
              + ": is not valid JSON ("
              + JsonComplaint.of(e)
              + "). Correct the file, or fetch it again");
    }
    if (!map.isObject() || map.isEmpty()) {
      throw new CheckpointException(
          index + ": has no weight_map. Correct the file, or fetch it again");
    }
    Map<String, String> result = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      String name = entry.getValue().isString() ? entry.getValue().asString() : "";
      if (!name.matches("[A-Za-z0-9._-]+") || name.startsWith(".")) {
        throw new CheckpointException(
            index
                + ": weight_map sends "
                + Printable.quoted(entry.getKey())
                + " to "
                + Printable.quoted(name)
                + ", which is not a plain file name");
      }
      result.put(entry.getKey(), name);
    }
    return result;
  }
}
