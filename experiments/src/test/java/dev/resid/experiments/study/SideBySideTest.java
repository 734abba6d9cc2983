package dev.resid.experiments.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A study whose rows are squares, on several backends that are threads of this test. */
class SideBySideTest {
  private static final int ROWS = 9;
  private static final String COMMON = "common";

  @TempDir private Path folder;

  /** Computes squares of rows plus the number in the common file, and counts blocks. */
  private static final class Squares implements RowStudy.Steps, BlockWork {
    private final Before before;
    private final AtomicInteger blocks = new AtomicInteger();
    private final AtomicInteger commons = new AtomicInteger();
    private long common;

    Squares(Before before) {
      this.before = before;
    }

    @FunctionalInterface
    interface Before {
      void block(int number);
    }

    RowStudy<double[]> study(String settings) {
      return new RowStudy<>(
          new StudyPlan(
              "squares",
              new Settings().with("of", settings),
              new Settings(),
              ROWS,
              2,
              1,
              "rows",
              1),
          this,
          (out, notes, values, workers) -> {
            double[] all = new double[ROWS];
            for (int row = 0; row < ROWS; row++) {
              all[row] = values.get(row, 0);
            }
            Files.writeString(out.file("results.csv"), java.util.Arrays.toString(all));
            return all;
          });
    }

    @Override
    public void compute(RunFolder out, RowStudy.Blocks then, Progress progress) throws IOException {
      Path file = out.work(COMMON);
      if (!Files.exists(file)) {
        commons.incrementAndGet();
        Files.writeString(file, "1000");
      }
      common = Long.parseLong(Files.readString(file));
      then.run(this);
    }

    @Override
    public double[][] compute(RowRange rows, IntConsumer progress) {
      before.block(blocks.getAndIncrement());
      double[][] values = new double[rows.size()][1];
      for (int row = rows.from(); row < rows.to(); row++) {
        values[row - rows.from()][0] = common + (double) row * row;
      }
      return values;
    }

    @Override
    public Settings notes(RunFolder out, Progress progress) {
      return new Settings();
    }
  }

  private double[] run(Path out, RowStudy<double[]> first, List<RowStudy<double[]>> others)
      throws IOException {
    try (Workers workers = new Workers(1)) {
      return first.run(out, new SideBySide(others), Progress.none(), workers);
    }
  }

  @Test
  void everyBackendTakesBlocksAndTheResultsAreThoseOfOne() throws IOException {
    Path alone = folder.resolve("alone");
    try (Workers workers = new Workers(1)) {
      new Squares(n -> {}).study("x").run(alone, Progress.none(), workers);
    }
    // Nobody begins a second block before all have begun their first.
    CyclicBarrier all = new CyclicBarrier(3);
    Squares[] each = new Squares[3];
    java.util.Arrays.setAll(each, i -> new Squares(n -> meet(n, all)));
    Path together = folder.resolve("together");
    run(together, each[0].study("x"), List.of(each[1].study("x"), each[2].study("x")));
    assertEquals(
        Files.readString(alone.resolve("results.csv")),
        Files.readString(together.resolve("results.csv")));
    int sum = 0;
    for (Squares one : each) {
      assertTrue(one.blocks.get() > 0, "one of them computed nothing");
      sum += one.blocks.get();
    }
    assertEquals((ROWS + 1) / 2, sum);
    assertEquals(1, each[0].commons.get());
    assertEquals(0, each[1].commons.get() + each[2].commons.get(), "common work was done twice");
  }

  private static void meet(int block, CyclicBarrier all) {
    if (block == 0) {
      try {
        all.await(1, TimeUnit.MINUTES);
      } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Test
  void whatOneCannotComputeEndsTheRunAndFinishedBlocksAreKept() throws IOException {
    CyclicBarrier both = new CyclicBarrier(2);
    IllegalStateException lost = new IllegalStateException("the GPU was lost");
    Squares first = new Squares(n -> meet(n, both));
    Squares other =
        new Squares(
            n -> {
              meet(n, both);
              throw lost;
            });
    RowStudy<double[]> here = first.study("x");
    assertSame(
        lost,
        assertThrows(
            IllegalStateException.class, () -> run(folder, here, List.of(other.study("x")))));
    assertTrue(first.blocks.get() > 0);
    Squares again = new Squares(n -> {});
    double[] values = run(folder, again.study("x"), List.of());
    assertEquals(1000 + 64, values[8]);
    assertEquals((ROWS + 1) / 2 - first.blocks.get(), again.blocks.get());
  }

  @Test
  void aBackendThatWouldComputeOtherNumbersIsRefused() {
    RowStudy<double[]> here = new Squares(n -> {}).study("x");
    RowStudy<double[]> there = new Squares(n -> {}).study("y");
    assertTrue(
        assertThrows(IllegalStateException.class, () -> run(folder, here, List.of(there)))
            .getMessage()
            .contains("would compute other numbers"));
  }
}
