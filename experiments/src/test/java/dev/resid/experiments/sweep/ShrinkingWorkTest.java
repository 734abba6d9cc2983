package dev.resid.experiments.sweep;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.backend.BackendFailureException;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ShrinkingWorkTest {
  private static final RowRange ROWS = new RowRange(0, 4);

  private final Logger logger = Logger.getLogger(ShrinkingWork.class.getName());
  private final List<String> said = new ArrayList<>();
  private final java.util.logging.Handler handler =
      new java.util.logging.Handler() {
        @Override
        public void publish(java.util.logging.LogRecord line) {
          said.add(line.getLevel() == Level.WARNING ? line.getParameters()[1] + "" : "");
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void listen() {
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
  }

  @AfterEach
  void listenNoMore() {
    logger.removeHandler(handler);
    logger.setUseParentHandlers(true);
  }

  /** A failure of a device. */
  private static final class Failure extends BackendFailureException {
    private static final long serialVersionUID = 1L;
    private final boolean memory;

    Failure(boolean memory) {
      super("cuda: it failed.");
      this.memory = memory;
    }

    @Override
    public boolean isOutOfMemory() {
      return memory;
    }
  }

  private final List<Integer> tried = new ArrayList<>();

  /** Work that reports one unit and then fails where the size is beyond what fits. */
  private ShrinkingWork<Integer> work(int fits, boolean memory) {
    return new ShrinkingWork<>(
        8,
        size -> size > 1 ? Optional.of(size / 2) : Optional.empty(),
        size -> (rows, progress) -> computed(size, fits, memory, progress));
  }

  private double[][] computed(int size, int fits, boolean memory, IntConsumer progress) {
    tried.add(size);
    progress.accept(1);
    if (size > fits) {
      throw new Failure(memory);
    }
    progress.accept(2);
    return new double[][] {{size}};
  }

  @Test
  void whatDoesNotFitIsTriedInSmallerBatchesFromThenOn() throws IOException {
    BlockWork work = work(2, true);
    List<Integer> progress = new ArrayList<>();
    assertArrayEquals(new double[] {2}, work.compute(ROWS, progress::add)[0]);
    assertEquals(List.of(8, 4, 2), tried);
    assertEquals(List.of(1, 2), progress, "progress goes forward only");
    assertEquals(List.of("4", "2"), said);
    work.compute(ROWS, units -> {});
    assertEquals(List.of(8, 4, 2, 2), tried);
  }

  @Test
  void whatNeverFitsAndOtherFailuresAreLeftAsTheyAre() {
    assertThrows(Failure.class, () -> work(0, true).compute(ROWS, units -> {}));
    assertEquals(List.of(8, 4, 2, 1), tried);
    tried.clear();
    Failure lost = assertThrows(Failure.class, () -> work(0, false).compute(ROWS, units -> {}));
    assertEquals(List.of(8), tried);
    assertSame(Failure.class, lost.getClass());
  }
}
