package dev.resid.experiments.study;

import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.ShardMerge;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Puts the parts of a study over rows together and writes the results of the whole run, the same
 * bytes that one process would have written.
 *
 * @param <T> what is known of a complete run
 */
public final class RowMerge<T> {
  private final ShardMerge merge;
  private final List<Path> shards;
  private final String command;
  private final RowStudy.Writer<T> writer;
  private final Common common;

  /** What every part computed for itself and the writer reads from the folder. */
  @FunctionalInterface
  public interface Common {
    /**
     * Checks that the parts agree, and copies it.
     *
     * @param record of the run
     * @param parts their folders
     * @param out the folder of the whole
     * @throws IllegalStateException if two parts do not agree
     * @throws IOException if something cannot be read or written
     */
    void bring(RunRecord record, List<Path> parts, RunFolder out) throws IOException;
  }

  /**
   * Prepares a merge.
   *
   * @param command the study that the folders must be runs of
   * @param shards output folders of all parts of a run, in any order
   * @param writer called when all blocks are there
   * @throws IllegalArgumentException if there are no folders
   */
  public RowMerge(String command, List<Path> shards, RowStudy.Writer<T> writer) {
    this(command, shards, writer, (first, parts, out) -> {});
  }

  /**
   * Prepares a merge of a study whose parts have more in common than the notes.
   *
   * @param command the study that the folders must be runs of
   * @param shards output folders of all parts of a run, in any order
   * @param writer called when all blocks are there
   * @param common brings along what the writer reads from the folder
   * @throws IllegalArgumentException if there are no folders
   */
  public RowMerge(String command, List<Path> shards, RowStudy.Writer<T> writer, Common common) {
    this.common = common;
    this.merge = new ShardMerge(command, RowStudy.LOG, shards);
    this.shards = List.copyOf(shards);
    this.command = command;
    this.writer = writer;
  }

  /**
   * Merges.
   *
   * @param folder where the results go; created if it is missing
   * @param workers threads for the results
   * @throws IllegalStateException if the folders are of different runs, or something is missing
   * @throws IOException if something cannot be read or written
   */
  public T run(Path folder, Workers workers) throws IOException {
    RunRecord first = merge.commonRecord();
    SweepPlan whole = merge.wholePlan(first.settings());
    merge.requireAllBlocks(whole);
    Settings notes = notes();
    RunRecord record =
        RunRecord.begin(command, first.settings(), first.facts(), Shard.WHOLE.toString());
    try (RunFolder out = RunFolder.open(folder, record);
        BlockLog merged = BlockLog.open(out.work(RowStudy.LOG), whole)) {
      merge.copy(whole, merged);
      common.bring(first, shards, out);
      RunNotes.write(out, notes);
      T outcome = writer.write(out, notes, merged.values(), workers);
      out.finish(merged.elapsedSeconds());
      return outcome;
    }
  }

  /** Returns the notes of the part that took them. */
  private Settings notes() throws IOException {
    for (Path shard : shards) {
      if (Files.exists(RunFolder.work(shard, RunNotes.FILE))) {
        return RunNotes.read(shard);
      }
    }
    throw new IllegalStateException(
        "none of "
            + shards.stream().map(Path::toString).collect(Collectors.joining(", "))
            + " has blocks/"
            + RunNotes.FILE
            + ", because the part with the first block stopped before its end, or lost it: run"
            + " 'resid "
            + command
            + "' with --shard 0/N once more");
  }
}
