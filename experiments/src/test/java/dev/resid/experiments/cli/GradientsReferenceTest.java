package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.io.Safetensors;
import dev.resid.testing.Golden;
import dev.resid.testing.Shared;
import dev.resid.testing.TensorAssert;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** {@code resid gradients} against autograd on transformers' model. */
class GradientsReferenceTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "base-2x32, scalar",
    "base-2x32, vector",
    "untied-unscaled, scalar",
    "untied-unscaled, vector",
    "ninner-relu, vector"
  })
  void lossAndEveryGradientAgree(String name, String backend) throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/hf/" + name));
    JsonNode ids = golden.json().path("inputs").path("batch").path("input_ids");
    Path tokens = Files.writeString(folder.resolve("tokens.json"), ids.toString());
    Path model = golden.dir().resolve("checkpoint");
    Path out = folder.resolve("out.safetensors");
    CliRun.line(
            "gradients --backend " + backend + " --model", model, "--tokens", tokens, "--out", out)
        .ok();
    try (Safetensors expected = golden.open("gradients.safetensors");
        Safetensors found = Safetensors.open(out);
        Safetensors weights = Safetensors.open(model.resolve("model.safetensors"))) {
      double loss = golden.json().path("gradients").path("loss_f64").asDouble();
      double allowed = golden.json().path("tolerance").path("loss_abs").asDouble();
      assertEquals(loss, found.doubles("loss")[0], allowed);
      TreeSet<String> compared = new TreeSet<>();
      for (String key : expected.names()) {
        // The reference has the prefix whatever the checkpoint's names.
        String bare = key.replaceFirst("^transformer\\.", "");
        String ours = weights.has(key) ? key : bare;
        assertEquals(weights.entry(ours).shape(), found.entry(ours).shape(), ours);
        new TensorAssert(backend, name + " gradient of " + key, 0)
            .close(
                found.entry(ours).unnamedShape(),
                expected.doubles(key),
                found.doubles(ours),
                golden.tolerance("gradients_float32"));
        compared.add(ours);
      }
      compared.add("loss");
      assertEquals(compared, new TreeSet<>(found.names()));
    }
  }
}
