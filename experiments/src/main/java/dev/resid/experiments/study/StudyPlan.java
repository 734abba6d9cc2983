package dev.resid.experiments.study;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;

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
 * @param unitsPerRow how many of them a row is
 */
public record StudyPlan(
    String command,
    Settings settings,
    Settings facts,
    int rows,
    int rowsPerBlock,
    int valuesPerRow,
    String unit,
    int unitsPerRow) {

  /** Returns the plan of the blocks of a part. */
  SweepPlan sweep(Shard shard) {
    return new SweepPlan(rows, rowsPerBlock, valuesPerRow, shard, settings.toString());
  }
}
