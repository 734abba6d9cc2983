package dev.resid.experiments.robustness;

import dev.resid.experiments.study.RowMerge;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Puts the blocks of several shards together and writes the results of the whole run, the same
 * bytes that one process would have written.
 */
public final class RobustnessMerge {
  private final RowMerge merge;

  /**
   * Prepares a merge.
   *
   * @param shards output folders of all shards of a run, in any order
   * @throws IllegalArgumentException if there are none
   */
  public RobustnessMerge(List<Path> shards) {
    this.merge =
        new RowMerge(
            RobustnessStudy.COMMAND, shards, RobustnessStudy::plan, RobustnessReport::write);
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
    return merge.run(folder, workers);
  }
}
