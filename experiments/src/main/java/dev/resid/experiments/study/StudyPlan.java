package dev.resid.experiments.study;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import java.util.function.IntUnaryOperator;

/**
 * What a run over rows is.
 *
 * @param command the command in records
 * @param settings everything that the numbers depend on
 * @param facts what else is worth knowing
 * @param rows rows of the whole run
 * @param rowsPerBlock rows that are computed and written down together
 * @param valuesPerRow numbers that come out of a row
 * @param unit what progress counts, in the plural
 * @param unitsOfRow how many of them a row is
 */
public record StudyPlan(
    String command,
    Settings settings,
    Settings facts,
    int rows,
    int rowsPerBlock,
    int valuesPerRow,
    String unit,
    IntUnaryOperator unitsOfRow) {
  /** A plan whose rows are all the same number of units. */
  public StudyPlan(
      String command,
      Settings settings,
      Settings facts,
      int rows,
      int rowsPerBlock,
      int valuesPerRow,
      String unit,
      int unitsPerRow) {
    this(command, settings, facts, rows, rowsPerBlock, valuesPerRow, unit, row -> unitsPerRow);
  }

  /** Returns the plan of the blocks of a part. */
  SweepPlan sweep(Shard shard) {
    return new SweepPlan(rows, rowsPerBlock, valuesPerRow, shard, settings.toString());
  }
}
