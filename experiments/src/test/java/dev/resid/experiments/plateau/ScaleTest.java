package dev.resid.experiments.plateau;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.model.Gpt2Config;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class ScaleTest {
  private static final PromptStatistics STATISTICS =
      new PromptStatistics(100, 9, 20, 71.23, 200, 0);

  @Test
  void publishedLengthsAreThose() {
    Scale.Values values = Scale.of(Scale.Rule.PUBLISHED).values(STATISTICS);
    assertEquals(new Scale.Values(0.5, 20, 0.02, 37, 3), values);
  }

  @Test
  void scaledLengthsFollowTheActivations() {
    Scale.Values values = Scale.of(Scale.Rule.SCALED).values(STATISTICS);
    assertEquals(0.25, values.step());
    assertEquals(7.12, values.threshold());
    assertEquals(0.00712, values.leastSlope(), 1e-9);
    assertEquals(18.5, values.featureValue());
    assertEquals(1.5, values.featureMargin());
  }

  @Test
  void whatIsGivenStaysAndIsWrittenDown() {
    Scale scale =
        new Scale(
            Scale.Rule.SCALED,
            OptionalDouble.of(0.125),
            OptionalDouble.empty(),
            OptionalDouble.of(9));
    assertEquals(0.125, scale.values(STATISTICS).step());
    assertEquals(9, scale.values(STATISTICS).featureValue());
    assertEquals(scale, Scale.parse(scale.text()));
    assertEquals(Scale.of(Scale.Rule.PUBLISHED), Scale.parse("published"));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new Scale(
                Scale.Rule.SCALED,
                OptionalDouble.of(0),
                OptionalDouble.empty(),
                OptionalDouble.empty()));
  }

  @Test
  void publishedLengthsAreForModelsOfGpt2SmallsSize() {
    assertEquals(Scale.Rule.PUBLISHED, Scale.Rule.usual(Gpt2Config.of(12, 12, 768, 50257, 1024)));
    assertEquals(Scale.Rule.SCALED, Scale.Rule.usual(Gpt2Config.of(6, 6, 192, 4096, 256)));
  }

  @Test
  void withoutAnSaeTheUsualKindsAreThoseThatNeedNone() {
    List<TargetKind> two = List.of(TargetKind.MODEL_GENERATED, TargetKind.RANDOM);
    assertEquals(two, TargetKind.usual(Optional.empty()));
    assertEquals(two, TargetKind.usualBases(Optional.empty()));
  }
}
