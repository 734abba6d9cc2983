package dev.resid.experiments.sensitivity;

import static dev.resid.experiments.testing.Vectors.at;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.DirectionRule;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.reference.Distributions;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Directions of a caller's own go through the experiment and its report like the others. */
class OwnDirectionsTest {
  private static final TokenBatch TOKENS = TinyModel.tokens(19, 8, 8, 5, 8);
  private static final double LENGTH = 2;

  /** One axis of the stream, three times as long as it has to be. */
  private static final DirectionRule AXIS =
      place -> {
        float[] vector = new float[place.activation().length];
        vector[1] = 3;
        return vector;
      };

  private static final DirectionRule NOISE = place -> place.normals(place.activation().length);

  @TempDir private static Path whole;
  @TempDir private Path temporary;

  private static SensitivityOptions options() {
    return SensitivityOptions.of(TOKENS, "random tokens", 1)
        .withLengths(new Lengths.Given(0.5, LENGTH))
        .withDirections(
            List.of(
                SweptDirection.of("isotropic"),
                SweptDirection.own("one axis", AXIS),
                SweptDirection.own("noise", NOISE)));
  }

  @BeforeAll
  static void runOnce() throws IOException {
    run(whole, options());
  }

  private static void run(Path folder, SensitivityOptions options) throws IOException {
    try (Backend backend = TinyModel.backend(1);
        Workers workers = new Workers(1)) {
      new SensitivityStudy(TinyModel.on(backend), options).run(folder, Progress.none(), workers);
    }
  }

  @Test
  void meansAreThoseOfForwardRunsMovedAlongTheRulesVectors() throws IOException {
    double sum = 0;
    int positions = 0;
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      int width = gpt2.config().dModel();
      float[] step = new float[width];
      step[1] = (float) LENGTH;
      Tensor vector = Tensor.of(Shape.of(Axis.D_MODEL, width), step);
      for (int row = 0; row < TOKENS.rows(); row++) {
        TokenBatch one = TOKENS.slice(row, row + 1);
        Tensor clean = gpt2.forward(one).logits();
        Tensor moved =
            gpt2.forward(one, HookPoint.residPre(1).replace((x, at) -> x.plus(vector))).logits();
        for (int pos = 0; pos < one.length(0) - 1; pos++) {
          sum += Distributions.kl(at(clean, 0, pos), at(moved, 0, pos));
          positions++;
        }
      }
    }
    ResultTable table = ResultTable.read(whole, "results");
    assertEquals("own:one axis", table.rows().get(3).get(0));
    // float32 runs by two paths
    double expected = sum / positions;
    assertEquals(expected, table.number(3, "kl_nats").getAsDouble(), 1e-5 * expected + 1e-7);
  }

  @Test
  void ownDrawsAreNotThoseOfOtherDirections() throws IOException {
    ResultTable table = ResultTable.read(whole, "results");
    double isotropic = table.number(1, "kl_nats").getAsDouble();
    double noise = table.number(5, "kl_nats").getAsDouble();
    assertTrue(isotropic != noise && noise > 0.3 * isotropic && noise < 3 * isotropic);
  }

  @Test
  void theReportShowsThemBesideIsotropicOnes() throws IOException {
    String page = Files.readString(whole.resolve("report.html"));
    assertTrue(page.contains("d comes from a rule of the program"), "the definition");
    String figure = Files.readString(whole.resolve("figures/fig3-kl-all-linear.svg"));
    for (String name : List.of("one axis", "noise", "isotropic")) {
      assertTrue(figure.contains(name), name);
    }
    assertTrue(
        Files.readString(whole.resolve("figures/exponents-baselines.svg")).contains("noise"));
  }

  @Test
  void aVectorOfAnotherLengthIsRefusedWithItsPlace() {
    SensitivityOptions wrong =
        options().withDirections(List.of(SweptDirection.own("short", place -> new float[3])));
    String message =
        assertThrows(IllegalArgumentException.class, () -> run(temporary.resolve("wrong"), wrong))
            .getMessage();
    assertTrue(
        message.startsWith("the rule of own:short gave 3 numbers at row 0, position 0"), message);
  }

  @Test
  void namesStandForRules() {
    assertEquals(SweptDirection.own("a", AXIS), SweptDirection.own("a", NOISE));
    assertEquals(SweptDirection.own("a", AXIS), SweptDirection.of("own:a"));
    for (String wrong : List.of("", " ", "a:b", "a\nb")) {
      assertThrows(IllegalArgumentException.class, () -> SweptDirection.own(wrong, AXIS));
    }
    SensitivityOptions nameless = options().withDirections(List.of(SweptDirection.of("own:a")));
    String message =
        assertThrows(
                IllegalStateException.class, () -> run(temporary.resolve("nameless"), nameless))
            .getMessage();
    assertEquals("own:a is a name alone here; its rule is in the program that ran it", message);
  }
}
