package dev.resid.benchmarks.table;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.benchmarks.work.Bound;
import org.junit.jupiter.api.Test;

/** Lines go from process to process as cells, and take notes. */
class LineTest {
  private static final Line LINE =
      new Line("g", "w", "e", Bound.READ, 1, 2, 1.5, 3, 7, 4, 0.5, 1.1, "");

  @Test
  void cellsAreTheLine() {
    assertEquals(LINE, Line.of(LINE.cells()));
    assertEquals(Line.COLUMNS.size(), LINE.cells().size());
  }

  @Test
  void aNoteComesAfterTheOneThereIs() {
    Line once = LINE.noted("first");
    assertEquals("first", once.note());
    assertEquals("first; second", once.noted("second").note());
    assertEquals(LINE.cells().subList(0, 12), once.cells().subList(0, 12), "nothing else changes");
  }
}
