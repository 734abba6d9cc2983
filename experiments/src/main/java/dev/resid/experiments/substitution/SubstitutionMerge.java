package dev.resid.experiments.substitution;

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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Puts the blocks of several shards together and writes the results of the whole run, the same
 * bytes that one process would have written.
 */
public final class SubstitutionMerge {
  private final ShardMerge merge;
  private final List<Path> shards;

  /**
   * Prepares a merge.
   *
   * @param shards output folders of all shards of a run, in any order
   * @throws IllegalArgumentException if there are none
   */
  public SubstitutionMerge(List<Path> shards) {
    this.merge = new ShardMerge(SubstitutionStudy.COMMAND, SubstitutionStudy.LOG, shards);
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
  public SubstitutionOutcome run(Path folder, Workers workers) throws IOException {
    RunRecord first = merge.commonRecord();
    Map<String, ActivationStatistics> statistics = new LinkedHashMap<>();
    for (String point : first.settings().list("points")) {
      statistics.put(point, statistics(SubstitutionStudy.prefix(point)));
    }
    SweepPlan plan = SubstitutionStudy.plan(first, Shard.WHOLE);
    merge.requireAllBlocks(plan);
    RunRecord whole =
        RunRecord.begin(
            SubstitutionStudy.COMMAND, first.settings(), first.facts(), Shard.WHOLE.toString());
    try (RunFolder out = RunFolder.open(folder, whole);
        BlockLog merged = BlockLog.open(out.work(SubstitutionStudy.LOG), plan)) {
      merge.copy(plan, merged);
      for (String point : statistics.keySet()) {
        StatisticsPass.copy(shards.getFirst(), out, SubstitutionStudy.prefix(point));
      }
      SubstitutionOutcome outcome =
          SubstitutionReport.write(out, statistics, merged.values(), workers);
      out.finish(merged.elapsedSeconds());
      return outcome;
    }
  }

  private ActivationStatistics statistics(String prefix) throws IOException {
    ActivationStatistics first = StatisticsPass.read(shards.getFirst(), prefix);
    for (Path shard : shards) {
      if (!first.agreesWith(StatisticsPass.read(shard, prefix))) {
        throw new IllegalStateException(
            shard
                + " found other activations than "
                + shards.getFirst()
                + "; were both finished by the same version?");
      }
    }
    return first;
  }
}
