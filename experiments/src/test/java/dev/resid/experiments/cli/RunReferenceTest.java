package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.io.Safetensors;
import dev.resid.testing.Golden;
import dev.resid.testing.Shared;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** {@code resid run} and {@code resid loss} against transformers and TransformerLens. */
class RunReferenceTest {
  @TempDir private Path folder;

  private Safetensors run(Path model, JsonNode tokens, String options) throws IOException {
    Path file = Files.writeString(folder.resolve("tokens.json"), tokens.toString());
    Path out = folder.resolve("out.safetensors");
    CliRun.line("run " + options + " --model", model, "--tokens", file, "--out", out).ok();
    return Safetensors.open(out);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "base-2x32",
        "prefixed-3x48",
        "untied-unscaled",
        "ninner-relu",
        "inverse-layer-gelu",
        "sharded",
        "float16",
        "bfloat16"
      })
  void logitsAndLossesAreThoseOfTransformers(String name) throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/hf/" + name));
    Path model = golden.dir().resolve("checkpoint");
    double lossTolerance = golden.json().path("tolerance").path("loss_abs").asDouble();
    try (Safetensors expected = golden.open("expected.safetensors")) {
      for (Map.Entry<String, JsonNode> input : golden.json().path("inputs").properties()) {
        for (String backend : Set.of("scalar", "vector")) {
          JsonNode ids = input.getValue().path("input_ids");
          try (Safetensors found = run(model, ids, "--backend " + backend)) {
            compare(
                backend,
                expected,
                input.getKey() + ".logits_f64",
                found,
                "logits",
                golden.tolerance("logits_float32_vs_f64"));
          }
          JsonNode loss = input.getValue().path("loss_f64");
          if (!loss.isNull()) {
            String line =
                CliRun.line(
                        "loss --backend " + backend + " --model",
                        model,
                        "--tokens",
                        folder.resolve("tokens.json"))
                    .ok()
                    .out();
            double nats = Double.parseDouble(line.substring(0, line.indexOf(' ')));
            assertEquals(loss.asDouble(), nats, lossTolerance + 0.5e-4, "printed to 4 places");
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "base-2x32, scalar",
    "base-2x32, vector",
    "prefixed-3x48, vector",
    "ninner-relu, vector",
    "inverse-layer-gelu, scalar"
  })
  void activationsAreThoseOfTransformerLens(String name, String backend) throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/tlens/" + name));
    for (String variant : Set.of("no", "default")) {
      String weights = variant.equals("no") ? "raw" : "transformerlens";
      try (Safetensors expected = golden.open("cache_" + variant + "_processing.safetensors");
          Safetensors found =
              run(
                  golden.model(),
                  golden.json().path("input_ids"),
                  "--capture * --weights " + weights + " --backend " + backend)) {
        Set<String> names = new TreeSet<>(found.names());
        names.removeIf(each -> each.endsWith("hook_result")); // optional there, not in this file
        assertEquals(new TreeSet<>(expected.names()), names);
        for (String each : names) {
          compare(
              backend + " " + weights,
              expected,
              each,
              found,
              each,
              golden.tolerance("cache_float32"));
        }
      }
    }
  }

  private static void compare(
      String backend,
      Safetensors expected,
      String expectedName,
      Safetensors found,
      String name,
      Tolerance tolerance)
      throws IOException {
    assertEquals(expected.entry(expectedName).shape(), found.entry(name).shape(), name);
    new TensorAssert(backend, expectedName + " of " + expected.file(), 0)
        .close(
            found.entry(name).unnamedShape(),
            expected.doubles(expectedName),
            found.doubles(name),
            tolerance);
  }
}
