package dev.resid.experiments.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class WorkTest {
  private static final Pattern HOURS = Pattern.compile("; about ([\\d,]+) hours in the model.*");

  @Test
  void durationsAreInTheUnitThatPeopleWouldUse() {
    assertEquals("1 second", Work.words(0.01));
    assertEquals("2 seconds", Work.words(1.5));
    assertEquals("119 seconds", Work.words(119));
    assertEquals("2 minutes", Work.words(121));
    assertEquals("119 minutes", Work.words(7140));
    assertEquals("2 hours", Work.words(7200));
    assertEquals("12,000 hours", Work.words(43_200_000));
  }

  @Test
  void aPartTakesItsShareOfTheTime() {
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      Work much = new Work(6, 2_000_000_000_000L, 1_000_000_000_000L);
      double whole = hours(much.estimate(gpt2, Shard.WHOLE));
      double part = hours(much.estimate(gpt2, new Shard(1, 10)));
      assertTrue(whole / part > 2 && whole / part < 50, whole + " against " + part + " hours");
      assertEquals(
          "; about 1 second in the model, measured on 4 rows",
          new Work(6, 1, 1).estimate(gpt2, Shard.WHOLE));
    }
  }

  private static double hours(String words) {
    Matcher matcher = HOURS.matcher(words);
    assertTrue(matcher.matches(), words);
    return Double.parseDouble(matcher.group(1).replace(",", ""));
  }
}
