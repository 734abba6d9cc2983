package dev.resid.experiments.study;

import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.ShardMerge;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * Puts the parts of a study over rows together and writes the results of the whole run, the same
 * bytes that one process would have written.
 */
public final class RowMerge {
  private final ShardMerge merge;
  private final String command;
  private final Function<RunRecord, SweepPlan> plan;
  private final RowStudy.Writer writer;

  /**
   * Prepares a merge.
   *
   * @param command the study that the folders must be runs of
   * @param shards output folders of all parts of a run, in any order
   * @param plan the plan of the whole run, from what its record says
   * @param writer called when all blocks are there
   * @throws IllegalArgumentException if there are no folders
   */
  public RowMerge(
      String command,
      List<Path> shards,
      Function<RunRecord, SweepPlan> plan,
      RowStudy.Writer writer) {
    this.merge = new ShardMerge(command, RowStudy.LOG, shards);
    this.command = command;
    this.plan = plan;
    this.writer = writer;
  }

  /**
   * Merges.
   *
   * @param folder where the results go; created if it is missing
   * @param workers threads for the results
   * @throws IllegalStateException if the folders are of different runs, or blocks are missing
   * @throws IOException if something cannot be read or written
   */
  public StudyOutcome run(Path folder, Workers workers) throws IOException {
    RunRecord first = merge.commonRecord();
    SweepPlan whole = plan.apply(first);
    merge.requireAllBlocks(whole);
    RunRecord record =
        RunRecord.begin(command, first.settings(), first.facts(), Shard.WHOLE.toString());
    try (RunFolder out = RunFolder.open(folder, record);
        BlockLog merged = BlockLog.open(out.work(RowStudy.LOG), whole)) {
      merge.copy(whole, merged);
      StudyOutcome outcome = writer.write(out, merged.values(), workers);
      out.finish(merged.elapsedSeconds());
      return outcome;
    }
  }
}
