package dev.resid.experiments.sensitivity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.model.Gpt2Config;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class LengthsTest {
  @Test
  void scaledLengthsFollowTheMeanDistance() {
    assertEquals(24, new Lengths.Scaled().count());
    double[] scaled = new Lengths.Scaled().values(8.159);
    assertEquals(0.1, scaled[0]);
    assertEquals(10.1, scaled[23]);
    assertEquals(
        List.of(1.0, 2.5), Arrays.stream(Lengths.parse("1,2.5").values(7)).boxed().toList());
    assertThrows(IllegalArgumentException.class, () -> Lengths.parse("2,1"));
    assertThrows(IllegalArgumentException.class, () -> Lengths.parse("0,1"));
    assertThrows(IllegalArgumentException.class, () -> Lengths.parse("1,x"));
  }

  @Test
  void publishedLengthsAreForModelsOfGpt2SmallsSize() {
    assertEquals(new Lengths.Published(), Lengths.usual(Gpt2Config.of(12, 12, 768, 50257, 1024)));
    assertEquals(new Lengths.Scaled(), Lengths.usual(Gpt2Config.of(12, 12, 780, 50257, 1024)));
    assertEquals(new Lengths.Scaled(), Lengths.usual(Gpt2Config.of(6, 12, 768, 50257, 1024)));
  }
}
