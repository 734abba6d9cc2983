package dev.resid.experiments.plateau;

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

/**
 * Puts the blocks of several shards together and writes the results of the whole run, the same
 * bytes that one process would have written.
 */
public final class PlateauMerge {
  private final ShardMerge merge;
  private final List<Path> shards;

  /**
   * Prepares a merge.
   *
   * @param shards output folders of all shards of a run, in any order
   * @throws IllegalArgumentException if there are none
   */
  public PlateauMerge(List<Path> shards) {
    this.merge = new ShardMerge(PlateauStudy.COMMAND, PlateauStudy.LOG, shards);
    this.shards = List.copyOf(shards);
  }

  /**
   * Merges.
   *
   * @param folder where the results go; created if it is missing
   * @param workers threads for the results
   * @throws IllegalStateException if the folders are of different runs, or blocks are missing
   * @throws IOException if something cannot be read or written
   */
  public PlateauOutcome run(Path folder, Workers workers) throws IOException {
    RunRecord first = merge.commonRecord();
    PromptStatistics statistics =
        PromptStatistics.read(RunFolder.work(shards.getFirst(), PlateauStudy.STATISTICS));
    for (Path shard : shards) {
      PromptStatistics other =
          PromptStatistics.read(RunFolder.work(shard, PlateauStudy.STATISTICS));
      if (!statistics.agreesWith(other)) {
        throw new IllegalStateException(
            shard
                + " found other activations than "
                + shards.getFirst()
                + " (mean distance "
                + other.meanDistance()
                + " and "
                + statistics.meanDistance()
                + "); were both finished by the same version?");
      }
    }
    SweepPlan plan = PlateauStudy.plan(first, Shard.WHOLE);
    merge.requireAllBlocks(plan);
    RunRecord whole =
        RunRecord.begin(
            PlateauStudy.COMMAND, first.settings(), first.facts(), Shard.WHOLE.toString());
    try (RunFolder out = RunFolder.open(folder, whole);
        BlockLog merged = BlockLog.open(out.work(PlateauStudy.LOG), plan)) {
      merge.copy(plan, merged);
      statistics.write(out.work(PlateauStudy.STATISTICS));
      PlateauOutcome outcome = PlateauReport.write(out, statistics, merged.values(), workers);
      out.finish(merged.elapsedSeconds());
      return outcome;
    }
  }
}
