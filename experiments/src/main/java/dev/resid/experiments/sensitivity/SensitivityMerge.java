package dev.resid.experiments.sensitivity;

import dev.resid.experiments.activations.ActivationStatistics;
import dev.resid.experiments.activations.StatisticsPass;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Puts the blocks of several shards together and writes the results of the whole run, the same
 * bytes that one process would have written.
 */
public final class SensitivityMerge {
  private final List<Path> shards;

  /**
   * Prepares a merge.
   *
   * @param shards output folders of all shards of a run, in any order
   * @throws IllegalArgumentException if there are none
   */
  public SensitivityMerge(List<Path> shards) {
    if (shards.isEmpty()) {
      throw new IllegalArgumentException("no folders to merge");
    }
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
    RunRecord first = read(shards.getFirst());
    for (Path shard : shards) {
      requireSameRun(first, shards.getFirst(), read(shard), shard);
    }
    ActivationStatistics statistics = statistics();
    SweepPlan plan = SensitivityStudy.plan(first, Shard.WHOLE);
    requireAllBlocks(plan);
    RunRecord whole =
        RunRecord.begin(
            SensitivityStudy.COMMAND, first.settings(), first.facts(), Shard.WHOLE.toString());
    try (RunFolder out = RunFolder.open(folder, whole);
        BlockLog merged = BlockLog.open(out.work(SensitivityStudy.LOG), plan)) {
      for (Path shard : shards) {
        try (BlockLog log = open(shard, plan)) {
          add(log, plan, merged, shard);
        }
      }
      StatisticsPass.copy(shards.getFirst(), out);
      SensitivityOutcome outcome =
          SensitivityReport.write(out, statistics, merged.values(), workers);
      out.finish(merged.elapsedSeconds());
      return outcome;
    }
  }

  private static RunRecord read(Path shard) throws IOException {
    try {
      return RunRecord.read(shard);
    } catch (NoSuchFileException e) {
      throw new IOException(
          shard + " holds no " + RunRecord.FILE + "; name the --out folders of the shards", e);
    }
  }

  private static void requireSameRun(RunRecord first, Path firstPath, RunRecord other, Path path) {
    if (!other.command().equals(SensitivityStudy.COMMAND)) {
      throw new IllegalStateException(
          path + " holds a run of " + other.command() + ", not of " + SensitivityStudy.COMMAND);
    }
    Optional<String> difference = other.settings().firstDifference(first.settings());
    if (difference.isPresent()) {
      throw new IllegalStateException(
          path
              + " and "
              + firstPath
              + " are of different runs ("
              + difference.get()
              + "); only shards of one run can be merged");
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

  private static BlockLog open(Path shard, SweepPlan plan) throws IOException {
    Path file = RunFolder.work(shard, SensitivityStudy.LOG);
    if (!Files.exists(file)) {
      throw new IOException(shard + " has no finished block yet; run its shard first");
    }
    return BlockLog.read(file, plan);
  }

  private void requireAllBlocks(SweepPlan plan) throws IOException {
    boolean[] found = new boolean[plan.blocks()];
    for (Path shard : shards) {
      try (BlockLog log = open(shard, plan)) {
        log.blocks().stream().forEach(block -> found[block] = true);
      }
    }
    List<String> missing =
        java.util.stream.IntStream.range(0, found.length)
            .filter(block -> !found[block])
            .mapToObj(String::valueOf)
            .toList();
    if (!missing.isEmpty()) {
      throw new IllegalStateException(
          missing.size()
              + " of "
              + found.length
              + " blocks are missing ("
              + missing.stream().limit(5).collect(Collectors.joining(", "))
              + (missing.size() > 5 ? ", …" : "")
              + "): name the folders of all shards, and run unfinished ones to their end");
    }
  }

  private static void add(BlockLog from, SweepPlan plan, BlockLog to, Path shard)
      throws IOException {
    for (int block : from.blocks().stream().toArray()) {
      RowRange rows = plan.block(block);
      if (to.has(block)) {
        requireEqual(from.values(), to.values(), rows, shard);
        continue;
      }
      double[][] numbers = new double[rows.size()][];
      for (int r = 0; r < numbers.length; r++) {
        numbers[r] = numbers(from.values(), rows.from() + r);
      }
      to.append(block, numbers, from.elapsedNanos(block));
    }
  }

  private static double[] numbers(RowValues values, int row) {
    double[] numbers = new double[values.columns()];
    Arrays.setAll(numbers, column -> values.get(row, column));
    return numbers;
  }

  private static void requireEqual(RowValues one, RowValues other, RowRange rows, Path shard) {
    for (int row = rows.from(); row < rows.to(); row++) {
      if (!Arrays.equals(numbers(one, row), numbers(other, row))) {
        throw new IllegalStateException(
            "row "
                + row
                + " in "
                + shard
                + " differs from what another folder says; one of them is not of this run");
      }
    }
  }
}
