package dev.resid.experiments.sweep;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SweepRunnerTest {
  private static final int ROWS = 10;
  private static final int COLUMNS = 3;

  @TempDir private Path folder;

  private final SweepPlan plan = new SweepPlan(ROWS, 4, COLUMNS, Shard.WHOLE, "settings");
  private final List<RowRange> computed = new ArrayList<>();

  @Test
  void everyRowIsComputedOnceAndReadBack() throws IOException {
    run(plan, folder.resolve("log"));
    assertEquals(List.of(new RowRange(0, 4), new RowRange(4, 8), new RowRange(8, 10)), computed);
    try (BlockLog log = BlockLog.open(folder.resolve("log"), plan)) {
      assertTrue(log.values().complete());
      for (int row = 0; row < ROWS; row++) {
        assertArrayEquals(numbers(row), log.values().row(row));
      }
    }
  }

  @Test
  void aFailureLosesOnlyItsBlock() throws IOException {
    Path file = folder.resolve("log");
    try (BlockLog log = BlockLog.open(file, plan)) {
      assertThrows(
          IllegalStateException.class,
          () ->
              runner(plan)
                  .run(
                      log,
                      (rows, progress) -> {
                        if (rows.from() == 4) {
                          throw new IllegalStateException("pulled the plug");
                        }
                        return compute(rows);
                      },
                      Progress.none()));
    }
    computed.clear();
    run(plan, file);
    assertEquals(List.of(new RowRange(4, 8), new RowRange(8, 10)), computed);
    try (BlockLog log = BlockLog.open(file, plan)) {
      for (int row = 0; row < ROWS; row++) {
        assertArrayEquals(numbers(row), log.values().row(row));
      }
    }
  }

  @Test
  void whateverAKillLeavesBehindIsCutOff() throws IOException {
    byte[] whole = whole();
    Path file = folder.resolve("cut");
    for (int length = 0; length < whole.length; length += 7) {
      Files.write(file, java.util.Arrays.copyOf(whole, length));
      computed.clear();
      run(plan, file);
      assertArrayEquals(whole, Files.readAllBytes(file), "cut at " + length);
      assertTrue(length < whole.length && !computed.isEmpty());
    }
  }

  @Test
  void aDamagedBlockIsComputedAgain() throws IOException {
    byte[] whole = whole();
    Path file = folder.resolve("damaged");
    byte[] damaged = whole.clone();
    damaged[whole.length - 20] ^= 4; // in the last block
    Files.write(file, damaged);
    computed.clear();
    run(plan, file);
    assertEquals(List.of(new RowRange(8, 10)), computed);
    assertArrayEquals(whole, Files.readAllBytes(file));
  }

  @Test
  void blocksOfAnotherRunAreRefused() throws IOException {
    Path file = folder.resolve("log");
    run(plan, file);
    SweepPlan other = new SweepPlan(ROWS, 4, COLUMNS, Shard.WHOLE, "other settings");
    String message = assertThrows(IOException.class, () -> BlockLog.open(file, other)).getMessage();
    assertTrue(message.contains("blocks of another run"), message);
    assertTrue(message.contains(file.toString()), message);
  }

  @Test
  void shardsShareTheBlocks() throws IOException {
    BitSet all = new BitSet();
    for (int i = 0; i < 2; i++) {
      SweepPlan part = new SweepPlan(ROWS, 4, COLUMNS, new Shard(i, 2), "settings");
      Path file = folder.resolve("shard" + i);
      run(part, file);
      try (BlockLog log = BlockLog.open(file, part)) {
        assertFalse(all.intersects(log.blocks()));
        all.or(log.blocks());
        assertFalse(log.values().complete());
      }
      assertEquals(i == 0 ? 6 : 4, part.ownRows());
    }
    assertEquals(3, all.cardinality());
  }

  @Test
  void progressCountsWhatAnEarlierProcessDid() throws IOException {
    Path file = folder.resolve("log");
    try (BlockLog log = BlockLog.open(file, plan)) {
      log.append(1, compute(new RowRange(4, 8)), 5);
    }
    List<String> told = new ArrayList<>();
    Progress progress =
        (name, unit, done, total) -> {
          told.add(name + " " + done + "/" + total + " " + unit);
          return new Progress.Task() {
            @Override
            public void advanceTo(long count) {
              told.add(String.valueOf(count));
            }

            @Override
            public void detail(String text) {}

            @Override
            public void close() {
              told.add("closed");
            }
          };
        };
    try (BlockLog log = BlockLog.open(file, plan)) {
      runner(plan)
          .run(
              log,
              (rows, done) -> {
                done.accept(1);
                return compute(rows);
              },
              progress);
    }
    assertEquals(List.of("test 8/20 units", "9", "16", "17", "20", "closed"), told);
  }

  @Test
  void shardsAreWrittenAsIndexAndCount() {
    assertEquals(new Shard(0, 4), Shard.parse("0/4"));
    assertThrows(IllegalArgumentException.class, () -> Shard.parse("4/4"));
    assertThrows(IllegalArgumentException.class, () -> Shard.parse("1"));
    assertThrows(IllegalArgumentException.class, () -> Shard.parse("-1/2"));
  }

  /** The bytes of the finished log, whose blocks all took 5 ns. */
  private byte[] whole() throws IOException {
    Path file = folder.resolve("whole");
    run(plan, file);
    return Files.readAllBytes(file);
  }

  /** Runs with a log whose recorded durations are made equal, so that files can be compared. */
  private void run(SweepPlan plan, Path file) throws IOException {
    try (BlockLog log = BlockLog.open(file, plan)) {
      for (int block : plan.ownBlocks()) {
        if (!log.has(block)) {
          log.append(block, compute(plan.block(block)), 5);
        }
      }
    }
  }

  private static SweepRunner runner(SweepPlan plan) {
    return new SweepRunner(plan, "test", "units", 2);
  }

  private double[][] compute(RowRange rows) {
    computed.add(rows);
    double[][] values = new double[rows.size()][];
    for (int r = 0; r < values.length; r++) {
      values[r] = numbers(rows.from() + r);
    }
    return values;
  }

  private static double[] numbers(int row) {
    return new double[] {row, row / 3.0, -row};
  }
}
