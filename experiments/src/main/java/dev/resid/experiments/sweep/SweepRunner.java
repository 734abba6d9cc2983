package dev.resid.experiments.sweep;

import dev.resid.progress.Progress;
import java.io.IOException;
import java.util.function.IntConsumer;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Computes the blocks of a sweep that are not in its log yet, in ascending order, and writes each
 * down as soon as it is finished. Stopping at any moment loses at most the block being computed.
 */
public final class SweepRunner {
  private final SweepPlan plan;
  private final String name;
  private final String unit;
  private final IntUnaryOperator unitsOfRow;

  /**
   * Creates a runner.
   *
   * @param plan which rows, in which blocks
   * @param name what progress calls the sweep
   * @param unit what progress counts, in the plural
   * @param unitsPerRow how many of them a row is
   */
  public SweepRunner(SweepPlan plan, String name, String unit, int unitsPerRow) {
    this(plan, name, unit, row -> unitsPerRow);
  }

  /**
   * Creates a runner for rows of which some take longer than others.
   *
   * @param plan which rows, in which blocks
   * @param name what progress calls the sweep
   * @param unit what progress counts, in the plural
   * @param unitsOfRow how many of them a row is
   */
  public SweepRunner(SweepPlan plan, String name, String unit, IntUnaryOperator unitsOfRow) {
    this.plan = plan;
    this.name = name;
    this.unit = unit;
    this.unitsOfRow = unitsOfRow;
  }

  /** What is done with the rows of one block. */
  @FunctionalInterface
  public interface BlockWork {
    /**
     * Returns the numbers of each row of the block.
     *
     * @param rows which rows
     * @param progress told how many units of this block are done so far
     * @return [rows of the block, values per row]
     * @throws IOException if something needed cannot be read
     */
    double[][] compute(RowRange rows, IntConsumer progress) throws IOException;
  }

  /**
   * Computes what is missing.
   *
   * @param log where finished blocks are and go
   * @param work called once for each missing block of the plan's shard
   * @param progress told about every step
   * @throws IOException if a block cannot be written down
   */
  public void run(BlockLog log, BlockWork work, Progress progress) throws IOException {
    long finished = 0;
    for (int block : plan.ownBlocks()) {
      finished += log.has(block) ? units(block) : 0;
    }
    long total = 0;
    for (int block : plan.ownBlocks()) {
      total += units(block);
    }
    try (Progress.Task task = progress.begin(name, unit, finished, total)) {
      for (int block : plan.ownBlocks()) {
        if (log.has(block)) {
          continue;
        }
        long before = finished;
        long started = System.nanoTime();
        double[][] values =
            work.compute(plan.block(block), units -> task.advanceTo(before + units));
        log.append(block, values, System.nanoTime() - started);
        finished += units(block);
        task.advanceTo(finished);
      }
    }
  }

  /**
   * Has what is missing computed by somebody else, and writes every block down as soon as it is
   * finished.
   *
   * @param log where finished blocks are and go
   * @param service called once, if a block of the plan's shard is missing
   * @param progress told about every block
   * @throws IOException if a block cannot be computed or written down
   */
  public void runElsewhere(BlockLog log, BlockService service, Progress progress)
      throws IOException {
    int[] missing = IntStream.of(plan.ownBlocks()).filter(block -> !log.has(block)).toArray();
    long total = IntStream.of(plan.ownBlocks()).mapToLong(this::units).sum();
    long[] finished = {total - IntStream.of(missing).mapToLong(this::units).sum()};
    if (missing.length == 0) {
      return;
    }
    try (Progress.Task task = progress.begin(name, unit, finished[0], total)) {
      service.compute(
          missing,
          (block, values, elapsedNanos) -> {
            synchronized (log) {
              log.append(block, values, elapsedNanos);
              finished[0] += units(block);
              task.advanceTo(finished[0]);
            }
          });
    }
  }

  private long units(int block) {
    long units = 0;
    for (int row = plan.block(block).from(); row < plan.block(block).to(); row++) {
      units += unitsOfRow.applyAsInt(row);
    }
    return units;
  }
}
