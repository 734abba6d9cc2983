package dev.resid.experiments.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.study.Work.SaeWork;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import java.util.List;
import org.junit.jupiter.api.Test;

class WorkTest {
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
    Work work = new Work(6, 2_000, 1_000);
    assertEquals(2_000 * 0.25 + 1_000 * 0.5 + 30, work.seconds(0.25, 0.5, 30, Shard.WHOLE));
    assertEquals(103, work.seconds(0.25, 0.5, 30, new Shard(1, 10)));
  }

  @Test
  void theTimeIsMeasuredOnTheModel() {
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      assertEquals(
          "; about 1 second in the model, measured on 4 rows",
          new Work(6, 1, 1).estimate(gpt2, Shard.WHOLE));
      String much = new Work(6, 2_000_000_000_000L, 1).estimate(gpt2, Shard.WHOLE);
      assertTrue(much.matches("; about [\\d,]{3,} hours in the model, measured on 4 rows"), much);
    }
  }

  @Test
  void longRowsAndLargeModelsAreMeasuredOneRowAtATime() {
    assertEquals(4, new Work(128, 1, 1).measuredRows(1_000_000));
    assertEquals(2, new Work(256, 1, 1).measuredRows(1_000_000));
    assertEquals(1, new Work(1024, 1, 1).measuredRows(1_000_000));
    assertEquals(1, new Work(128, 1, 1).measuredRows(124_000_000), "GPT-2 small");
    assertEquals(1, new Work(128, 1, 1).measuredRows(1_500_000_000_000L));
  }

  @Test
  void whatSaesDoIsMeasuredToo() {
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      List<NamedSae> saes = List.of(TinySaes.alwaysActive());
      Work much = new Work(6, 1, 1, SaeWork.each(saes, 2_000_000_000_000L));
      String said = much.estimate(gpt2, Shard.WHOLE);
      assertTrue(said.matches("; about [\\d,]{3,} hours in the model and the SAEs, .*"), said);
    }
  }
}
