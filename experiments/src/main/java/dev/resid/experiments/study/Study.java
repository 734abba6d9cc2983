package dev.resid.experiments.study;

import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Path;

/** A study of which each part can run in another process. */
public interface Study {
  /** Returns in a few words what will be computed and about how much memory that takes. */
  String plan();

  /**
   * Returns how long a part will take, as words that follow the plan; empty where that is not
   * measured beforehand.
   *
   * @param shard which part
   */
  default String estimate(Shard shard) {
    return "";
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
  default StudyOutcome run(Path folder, Progress progress, Workers workers) throws IOException {
    return rows(workers).run(folder, progress, workers);
  }

  /**
   * Computes what is missing of one of several parts in the folder. {@code resid merge}, or {@link
   * RowMerge}, writes the results when all are finished.
   *
   * @param folder of this part; created if it is missing
   * @param shard which part
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @throws IllegalArgumentException if the part is the whole
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  default void runPart(Path folder, Shard shard, Progress progress, Workers workers)
      throws IOException {
    if (shard.count() == 1) {
      throw new IllegalArgumentException("one part of one is the whole run; use run");
    }
    rows(workers).run(folder, shard, progress, workers);
  }

  /** Returns what is computed and written. */
  RowStudy<StudyOutcome> rows(Workers workers);
}
