package dev.resid.testing;

import dev.resid.io.Safetensors;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One case of values that another implementation computed: what {@code case.json} says, and the
 * tensors beside it.
 *
 * @param dir folder of the case
 * @param json content of case.json
 */
public record Golden(Path dir, JsonNode json) {
  /**
   * Returns a case.
   *
   * @param dir folder of the case
   * @throws IOException if case.json cannot be read
   */
  public static Golden of(Path dir) throws IOException {
    return new Golden(
        dir, JsonMapper.shared().readTree(Files.readAllBytes(dir.resolve("case.json"))));
  }

  /**
   * Returns an open file of the case.
   *
   * @param name file name
   * @throws IOException if it cannot be read
   */
  public Safetensors open(String name) throws IOException {
    return Safetensors.open(dir.resolve(name));
  }

  /** Returns the folder of the model that the case names by its key {@code model}. */
  public Path model() {
    return root().resolve(json.path("model").asString().split(" ")[0]);
  }

  /** Returns the folder that holds all groups of cases. */
  public Path root() {
    return dir.getParent().getParent();
  }

  /**
   * Returns the tolerance of a name, |got − want| at most abs + rel·|want|.
   *
   * @param name key under {@code tolerance}
   */
  public Tolerance tolerance(String name) {
    JsonNode node = json.path("tolerance").path(name);
    if (!node.has("abs")) {
      throw new IllegalArgumentException(dir + " states no tolerance " + name);
    }
    return Tolerance.within(node.path("abs").asDouble(), node.path("rel").asDouble(0));
  }

  /** Returns rows of token ids, [[id, ...], ...]. */
  public static TokenBatch tokens(JsonNode rows) {
    List<int[]> all = new ArrayList<>();
    rows.forEach(row -> all.add(ints(row)));
    return TokenBatch.of(all);
  }

  /** Returns an array of integers. */
  public static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    Arrays.setAll(values, i -> array.get(i).asInt());
    return values;
  }

  /** Returns an array of numbers. */
  public static double[] doubles(JsonNode array) {
    double[] values = new double[array.size()];
    Arrays.setAll(values, i -> array.get(i).asDouble());
    return values;
  }

  /**
   * Compares a tensor with one of a file, sizes first.
   *
   * @throws IOException if the file has no such tensor
   */
  public static void compare(
      TensorAssert check, Safetensors file, String name, Tensor actual, Tolerance tolerance)
      throws IOException {
    check.holds(
        file.entry(name).fits(actual.shape()),
        "expected sizes " + file.entry(name).shape() + " of " + name + ", got " + actual.shape());
    check.close(file.doubles(name), actual, tolerance);
  }
}
