package dev.resid.experiments.study;

import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.SweepRunner;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Runs a study over rows in a folder, as a whole or in parts. A run goes on where an earlier
 * process with the same settings stopped, and ends in the same results; so does {@link RowMerge} of
 * all parts, because results are written from what is in the folder alone: the record, the numbers
 * of the rows, and the notes that the part with the first block takes.
 *
 * @param <T> what is known of a complete run
 */
public final class RowStudy<T> {
  /** Resamples of the rows for intervals. */
  public static final int RESAMPLES = 1000;

  /** The log of finished blocks. */
  public static final String LOG = "rows.log";

  private final StudyPlan plan;
  private final Steps steps;
  private final Writer<T> writer;

  /**
   * Prepares a run.
   *
   * @param plan what is run
   * @param steps what is computed
   * @param writer called when all blocks are there
   */
  public RowStudy(StudyPlan plan, Steps steps, Writer<T> writer) {
    this.plan = plan;
    this.steps = steps;
    this.writer = writer;
  }

  /** What a study computes. */
  public interface Steps {
    /**
     * Computes what blocks need in common, then the blocks. Called only if a block is missing.
     *
     * @param out the folder, for what is needed to go on
     * @param blocks given the work on a block, computes those that are missing
     * @param progress told about every step
     * @throws IOException if something cannot be read or written
     */
    void compute(RunFolder out, Blocks blocks, Progress progress) throws IOException;

    /**
     * Returns what the results need besides the record and the numbers of the rows, such as texts
     * of prompts. Called once in a run, by the part with the first block, after its blocks.
     *
     * @param out the folder
     * @param progress told about every step
     * @throws IOException if something cannot be read
     */
    Settings notes(RunFolder out, Progress progress) throws IOException;

    /**
     * Removes what only a run that goes on needs. Called when the part is finished.
     *
     * @param out the folder
     * @throws IOException if it cannot be removed
     */
    default void finished(RunFolder out) throws IOException {
      // most leave nothing
    }

    /** Returns steps whose blocks need nothing in common. */
    static Steps of(BlockWork work, Supplier<Settings> notes) {
      return new Steps() {
        @Override
        public void compute(RunFolder out, Blocks blocks, Progress progress) throws IOException {
          blocks.run(work);
        }

        @Override
        public Settings notes(RunFolder out, Progress progress) {
          return notes.get();
        }
      };
    }
  }

  /** Computes the blocks that are missing. */
  @FunctionalInterface
  public interface Blocks {
    /**
     * Computes them and writes each down.
     *
     * @param work computes one
     * @throws IOException if something cannot be read or written
     */
    void run(BlockWork work) throws IOException;
  }

  /**
   * Writes what a complete run found.
   *
   * @param <T> what is known of it then
   */
  @FunctionalInterface
  public interface Writer<T> {
    /**
     * Writes tables, figures and the page.
     *
     * @param out the folder
     * @param notes what {@link Steps#notes} took
     * @param values complete
     * @param workers share resamples and pictures
     * @throws IOException if a file cannot be written
     */
    T write(RunFolder out, Settings notes, RowValues values, Workers workers) throws IOException;
  }

  /**
   * Computes what is missing in the folder and writes the results.
   *
   * @param folder where; created if it is missing
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public T run(Path folder, Progress progress, Workers workers) throws IOException {
    return run(folder, Shard.WHOLE, progress, workers).orElseThrow();
  }

  /**
   * Computes what is missing of a part in the folder and, if the part is all of the run, writes the
   * results.
   *
   * @param folder where; created if it is missing
   * @param shard which of its blocks
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @return the results; of one of several parts, none
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public Optional<T> run(Path folder, Shard shard, Progress progress, Workers workers)
      throws IOException {
    SweepPlan sweep = plan.sweep(shard);
    RunRecord record =
        RunRecord.begin(plan.command(), plan.settings(), plan.facts(), shard.toString());
    try (RunFolder out = RunFolder.open(folder, record);
        BlockLog log = BlockLog.open(out.work(LOG), sweep)) {
      if (!complete(log, sweep)) {
        SweepRunner runner = new SweepRunner(sweep, plan.command(), plan.unit(), plan.unitsOfRow());
        steps.compute(out, work -> runner.run(log, work, progress), progress);
      }
      if (shard.has(0) && !Files.exists(out.work(RunNotes.FILE))) {
        RunNotes.write(out, steps.notes(out, progress));
      }
      Optional<T> outcome =
          shard.count() > 1
              ? Optional.empty()
              : Optional.of(writer.write(out, RunNotes.read(folder), log.values(), workers));
      out.finish(log.elapsedSeconds());
      steps.finished(out);
      return outcome;
    }
  }

  private static boolean complete(BlockLog log, SweepPlan sweep) {
    for (int block : sweep.ownBlocks()) {
      if (!log.has(block)) {
        return false;
      }
    }
    return true;
  }
}
