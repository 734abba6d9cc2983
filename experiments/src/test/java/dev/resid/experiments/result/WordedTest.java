package dev.resid.experiments.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class WordedTest {
  private enum Fruit implements Worded {
    SWEET_APPLE,
    PEAR;

    @Override
    public String word() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
  }

  @Test
  void constantsAreFoundByTheirWordAndOthersNamedWithAllThereAre() {
    assertEquals(Fruit.SWEET_APPLE, Worded.of(Fruit.class, "sweet-apple", "fruit"));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Worded.of(Fruit.class, "PEAR", "fruit"));
    assertEquals("no fruit is called \"PEAR\"; there are sweet-apple, pear", e.getMessage());
  }
}
