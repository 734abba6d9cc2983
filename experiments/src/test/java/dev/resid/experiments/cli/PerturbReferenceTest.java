package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Golden;
import dev.resid.testing.Shared;
import dev.resid.testing.TensorAssert;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** {@code resid perturb} against interventions in TransformerLens. */
class PerturbReferenceTest {
  @TempDir private Path folder;
  private Golden golden;
  private String backend;
  private Path tokens;
  private int compared;

  /** How long the given direction is to be, or which way to go, at one position. */
  @FunctionalInterface
  private interface Way {
    float at(int row, int pos, int column, float[] activation);
  }

  @ParameterizedTest
  @CsvSource({
    "base-2x32, scalar",
    "base-2x32, vector",
    "prefixed-3x48, vector",
    "ninner-relu, scalar",
    "inverse-layer-gelu, vector"
  })
  void klAndL2AreThoseOfTransformerLens(String name, String backendName) throws IOException {
    golden = Golden.of(Shared.require("goldens/tlens/" + name));
    backend = backendName;
    tokens = write(golden.json().path("input_ids"));
    try (Safetensors expected = golden.open("interventions.safetensors")) {
      float[] direction = expected.tensor("direction").toArray();
      JsonNode all = entry("add_all_positions.<i>");
      compare(expected, all, all.path("alphas"), (row, pos, c, x) -> direction[c]);
      JsonNode one = entry("add_one_position.<i>");
      int chosen = one.path("position").asInt();
      compare(
          expected, one, one.path("alphas"), (row, pos, c, x) -> pos == chosen ? direction[c] : 0);
      JsonNode relative = entry("add_relative.<i>");
      compare(
          expected,
          relative,
          relative.path("alphas"),
          (row, pos, c, x) -> (float) (norm(x) * direction[c]));
      JsonNode interpolate = entry("interpolate.<i>");
      String site = interpolate.path("hook").asString();
      Tensor other = activation(site, write(interpolate.path("other_input_ids")));
      tokens = write(golden.json().path("input_ids"));
      compare(
          expected,
          interpolate,
          interpolate.path("t"),
          (row, pos, c, x) -> other.get(row, pos, c) - x[c]);
    }
    assertEquals(7 + 7 + 3 + 5, compared);
  }

  private Path write(JsonNode ids) throws IOException {
    return Files.writeString(folder.resolve("tokens.json"), ids.toString());
  }

  private JsonNode entry(String key) {
    for (JsonNode entry : golden.json().path("interventions").path("keys")) {
      if (entry.path("key").asString().equals(key)) {
        return entry;
      }
    }
    throw new IllegalStateException("no intervention " + key + " in " + golden.dir());
  }

  private Tensor activation(String site, Path ids) throws IOException {
    Path out = folder.resolve("activation.safetensors");
    CliRun.line(
            "run --backend " + backend + " --capture " + site + " --model",
            golden.model(),
            "--tokens",
            ids,
            "--out",
            out)
        .ok();
    try (Safetensors file = Safetensors.open(out)) {
      return file.tensor(site);
    }
  }

  /** Runs all lengths of one kind of intervention at once and compares each. */
  private void compare(Safetensors expected, JsonNode entry, JsonNode factors, Way way)
      throws IOException {
    String site = entry.path("hook").asString();
    Tensor activation = activation(site, tokens);
    int[] sizes = activation.shape().sizes();
    float[] given = new float[sizes[0] * sizes[1] * sizes[2]];
    float[] clean = activation.toArray();
    for (int i = 0; i < given.length; i++) {
      int from = i - i % sizes[2];
      given[i] =
          way.at(
              i / sizes[2] / sizes[1],
              i / sizes[2] % sizes[1],
              i % sizes[2],
              Arrays.copyOfRange(clean, from, from + sizes[2]));
    }
    Path direction = folder.resolve("direction.safetensors");
    new SafetensorsWriter()
        .add("direction", Tensor.wrap(activation.shape(), given))
        .write(direction);
    Path out = folder.resolve("out.safetensors");
    CliRun.line(
            "perturb --logits --backend " + backend + " --site " + site + " --lengths",
            Arrays.stream(Golden.doubles(factors))
                .mapToObj(String::valueOf)
                .collect(Collectors.joining(",")),
            "--model",
            golden.model(),
            "--tokens",
            tokens,
            "--direction",
            direction,
            "--out",
            out)
        .ok();
    try (Safetensors found = Safetensors.open(out)) {
      for (int i = 0; i < factors.size(); i++) {
        String key = entry.path("key").asString().replace("<i>", String.valueOf(i));
        compareOne(expected, key + ".kl_base_pert_f64", found, "kl", i, "kl");
        compareOne(expected, key + ".l2_last_resid_post_f64", found, "l2", i, "l2");
        if (expected.has(key + ".logits")) {
          compareOne(expected, key + ".logits", found, "logits", i, "cache_float32");
        }
        compared++;
      }
    }
  }

  private void compareOne(
      Safetensors expected,
      String key,
      Safetensors found,
      String name,
      int length,
      String tolerance)
      throws IOException {
    double[] want = expected.doubles(key);
    assertEquals(
        expected.entry(key).shape(),
        found.entry(name).shape().subList(1, found.entry(name).shape().size()),
        key);
    new TensorAssert(backend, golden.dir().getFileName() + " " + key, 0)
        .close(
            expected.entry(key).unnamedShape(),
            want,
            Arrays.copyOfRange(
                found.doubles(name), length * want.length, (length + 1) * want.length),
            golden.tolerance(tolerance));
  }

  private static double norm(float[] x) {
    double squares = 0;
    for (float value : x) {
      squares += (double) value * value;
    }
    return Math.sqrt(squares);
  }
}
