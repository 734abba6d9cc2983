package dev.resid.experiments.study;

import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.SweepRunner;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Runs a study over rows in a folder. A run goes on where an earlier process with the same settings
 * stopped, and ends in the same results.
 */
public final class RowStudy {
  /** Resamples of the rows for intervals. */
  public static final int RESAMPLES = 1000;

  /** The log of finished blocks. */
  static final String LOG = "rows.log";

  private RowStudy() {}

  /** Writes what a complete run found. */
  @FunctionalInterface
  public interface Writer {
    /**
     * Writes tables, figures and the page.
     *
     * @param out the folder
     * @param values complete
     * @param workers share resamples and pictures
     * @throws IOException if a file cannot be written
     */
    StudyOutcome write(RunFolder out, RowValues values, Workers workers) throws IOException;
  }

  /**
   * Computes what is missing in the folder and writes the results.
   *
   * @param folder where; created if it is missing
   * @param plan what is run
   * @param work computes a block
   * @param writer called when all blocks are there
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public static StudyOutcome run(
      Path folder,
      StudyPlan plan,
      BlockWork work,
      Writer writer,
      Progress progress,
      Workers workers)
      throws IOException {
    return run(folder, plan, Shard.WHOLE, work, writer, progress, workers).orElseThrow();
  }

  /**
   * Computes what is missing of a part in the folder and, if the part is all of the run, writes the
   * results.
   *
   * @param folder where; created if it is missing
   * @param plan what is run
   * @param shard which of its blocks
   * @param work computes a block
   * @param writer called when all blocks are there
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @return the results; of one of several parts, none
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public static Optional<StudyOutcome> run(
      Path folder,
      StudyPlan plan,
      Shard shard,
      BlockWork work,
      Writer writer,
      Progress progress,
      Workers workers)
      throws IOException {
    SweepPlan sweep = plan.sweep(shard);
    RunRecord record =
        RunRecord.begin(plan.command(), plan.settings(), plan.facts(), shard.toString());
    try (RunFolder out = RunFolder.open(folder, record);
        BlockLog log = BlockLog.open(out.work(LOG), sweep)) {
      new SweepRunner(sweep, plan.command(), plan.unit(), plan.unitsPerRow())
          .run(log, work, progress);
      Optional<StudyOutcome> outcome =
          shard.count() > 1
              ? Optional.empty()
              : Optional.of(writer.write(out, log.values(), workers));
      out.finish(log.elapsedSeconds());
      return outcome;
    }
  }
}
