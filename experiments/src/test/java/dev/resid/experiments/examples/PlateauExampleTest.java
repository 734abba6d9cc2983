package dev.resid.experiments.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.WeightsState;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlateauExampleTest {
  private static final int D = 8;
  private static final int FEATURES = 150;

  @TempDir private Path folder;

  @Test
  void runsAndLeavesAReport() throws IOException {
    try (Backend backend = Backends.named("vector")) {
      Gpt2 gpt2 = Gpt2.of(Gpt2Weights.random(Gpt2Config.of(2, 2, D, 30, 16), 1), backend);
      CounterRandom random = new CounterRandom(1);
      int[][] ids = new int[24][4];
      for (int row = 0; row < ids.length; row++) {
        for (int pos = 0; pos < 4; pos++) {
          ids[row][pos] = random.below(30, row, pos, 0);
        }
      }
      StudyOutcome outcome =
          PlateauExample.run(gpt2, sae(backend), TokenBatch.of(ids), folder.resolve("out"));
      assertTrue(Files.exists(outcome.report()));
    }
  }

  @Test
  void theDocumentShowsTheSameLines() throws IOException {
    Path root = root();
    List<String> source =
        Files.readAllLines(
            root.resolve(
                "experiments/src/test/java/dev/resid/experiments/examples/PlateauExample.java"));
    String expected =
        source.stream()
            .dropWhile(line -> !line.strip().equals("// docs:begin"))
            .skip(1)
            .takeWhile(line -> !line.strip().equals("// docs:end"))
            .map(line -> line.isBlank() ? "" : line.substring(4))
            .collect(Collectors.joining("\n"));
    String document = Files.readString(root.resolve("docs/experiments.md"));
    assertTrue(document.contains("```java\n" + expected + "\n```"), expected);
  }

  private static Sae sae(Backend backend) {
    Map<SaeWeight, Tensor> tensors = new EnumMap<>(SaeWeight.class);
    for (SaeWeight weight :
        List.of(SaeWeight.W_enc, SaeWeight.b_enc, SaeWeight.W_dec, SaeWeight.b_dec)) {
      float[] values = new float[(int) weight.shape(D, FEATURES, D).elements()];
      new CounterRandom(3).fillNormal(weight.ordinal(), 0, values);
      tensors.put(weight, Tensor.wrap(weight.shape(D, FEATURES, D), values));
    }
    HookPoint point = HookPoint.residPre(1);
    SaeConfig config =
        new SaeConfig(
            "random",
            Architecture.RELU,
            D,
            FEATURES,
            D,
            OptionalInt.empty(),
            SaeConfig.TopKScale.PLAIN,
            Normalization.NONE,
            1,
            DecoderBias.ADDED,
            point,
            point,
            Optional.of(WeightsState.RAW),
            SaeConfig.Provenance.UNKNOWN);
    return Sae.of(config, new SaeWeights(tensors), backend);
  }

  private static Path root() {
    Path dir = Path.of("").toAbsolutePath();
    while (dir != null && !Files.isRegularFile(dir.resolve("README.md"))) {
      dir = dir.getParent();
    }
    return dir;
  }
}
