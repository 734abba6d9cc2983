package dev.resid.benchmarks.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.benchmarks.table.Group.Size;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

class GroupTest {
  // BenchmarkSmokeTest has training and loading; memory needs a JVM and some seconds.
  @ParameterizedTest
  @EnumSource(
      value = Group.class,
      mode = Mode.EXCLUDE,
      names = {"TRAINING", "LOAD", "MEMORY"})
  void everyGroupIsMeasuredAtATinySize(Group group) {
    List<Line> lines = new ArrayList<>();
    Worker.measure(
        group,
        2,
        1,
        Size.TINY,
        List.of(),
        new Worker.Listener() {
          @Override
          public void turn(String engine) {}

          @Override
          public void line(Line line) {
            lines.add(line);
          }
        });
    assertFalse(lines.isEmpty());
    for (Line line : lines) {
      assertEquals(group.word(), line.group());
      assertTrue(line.seconds() > 0, line.toString());
      assertTrue(line.share() > 0, line.toString());
    }
    assertEquals(1, lines.getFirst().ratio());
  }

  @Test
  void anUnknownNameListsTheKnownOnes() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Group.of("products"));
    assertTrue(e.getMessage().contains("few-rows"), e.getMessage());
    assertEquals(Group.LAST_POSITION, Group.of("last-position"));
  }
}
