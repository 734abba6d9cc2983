package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.testing.Golden;
import dev.resid.testing.Shared;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** {@code resid generate} against transformers' greedy generation. */
class GenerateReferenceTest {
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
  void greedyIdsAreTheSame(String name) throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/hf/" + name));
    Path model = golden.dir().resolve("checkpoint");
    for (JsonNode generation : golden.json().path("generation").path("cases")) {
      for (String backend : Set.of("scalar", "vector")) {
        CliRun run =
            CliRun.line(
                    "generate --ids --model",
                    model,
                    "--backend",
                    backend,
                    "--max-new",
                    generation.path("generated").size(),
                    "--prompt-ids",
                    joined(generation.path("prompt"), ","))
                .ok();
        assertEquals(joined(generation.path("generated"), " "), run.out().strip(), name);
      }
    }
  }

  private static String joined(JsonNode ids, String separator) {
    return Arrays.stream(Golden.ints(ids))
        .mapToObj(String::valueOf)
        .collect(Collectors.joining(separator));
  }
}
