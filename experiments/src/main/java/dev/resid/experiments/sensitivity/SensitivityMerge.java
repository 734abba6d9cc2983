package dev.resid.experiments.sensitivity;

import dev.resid.experiments.activations.ActivationStatistics;
import dev.resid.experiments.activations.StatisticsPass;
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
public final class SensitivityMerge {
  private final ShardMerge merge;
  private final List<Path> shards;

  /**
   * Prepares a merge.
   *
   * @param shards output folders of all shards of a run, in any order
   * @throws IllegalArgumentException if there are none
   */
  public SensitivityMerge(List<Path> shards) {
    this.merge = new ShardMerge(SensitivityStudy.COMMAND, SensitivityStudy.LOG, shards);
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
  public SensitivityOutcome run(Path folder, Workers workers) throws IOException {
    RunRecord first = merge.commonRecord();
    ActivationStatistics statistics = statistics();
    SweepPlan plan = SensitivityStudy.plan(first, Shard.WHOLE);
    merge.requireAllBlocks(plan);
    RunRecord whole =
        RunRecord.begin(
            SensitivityStudy.COMMAND, first.settings(), first.facts(), Shard.WHOLE.toString());
    try (RunFolder out = RunFolder.open(folder, whole);
        BlockLog merged = BlockLog.open(out.work(SensitivityStudy.LOG), plan)) {
      merge.copy(plan, merged);
      StatisticsPass.copy(shards.getFirst(), out);
      SensitivityOutcome outcome =
          SensitivityReport.write(out, statistics, merged.values(), workers);
      out.finish(merged.elapsedSeconds());
      return outcome;
    }
  }

  private ActivationStatistics statistics() throws IOException {
    ActivationStatistics first = StatisticsPass.read(shards.getFirst());
    for (Path shard : shards) {
      ActivationStatistics other = StatisticsPass.read(shard);
      if (!first.agreesWith(other)) {
        throw new IllegalStateException(
            shard
                + " found other activations than "
                + shards.getFirst()
                + " (mean distance "
                + other.meanDistance()
                + " and "
                + first.meanDistance()
                + "); were both finished by the same version?");
      }
    }
    return first;
  }
}
