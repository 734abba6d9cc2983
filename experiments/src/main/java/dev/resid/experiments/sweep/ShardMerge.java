package dev.resid.experiments.sweep;

import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The blocks of several shards of one run, checked and copied into the log of the whole. Blocks
 * that two shards have must be equal; none may be missing.
 */
public final class ShardMerge {
  /** What parts agree on wherever they ran; their settings have the model's hash. */
  private static final List<String> OF_THE_MODEL =
      List.of("n_layers", "d_model", "n_heads", "d_vocab", "parameters");

  private static final int LISTED = 5;

  private final String command;
  private final String logName;
  private final List<Path> shards;

  /**
   * Prepares a merge.
   *
   * @param command the study that the folders must be runs of
   * @param logName name of the log of finished blocks in each folder
   * @param shards output folders of all shards of a run, in any order
   * @throws IllegalArgumentException if there are none
   */
  public ShardMerge(String command, String logName, List<Path> shards) {
    if (shards.isEmpty()) {
      throw new IllegalArgumentException("no folders to merge");
    }
    this.command = command;
    this.logName = logName;
    this.shards = List.copyOf(shards);
  }

  /**
   * Returns the record of a shard.
   *
   * @throws IOException if the folder holds none, or it cannot be read
   */
  public static RunRecord record(Path shard) throws IOException {
    try {
      return RunRecord.read(shard);
    } catch (NoSuchFileException e) {
      throw new IOException(
          shard + " holds no " + RunRecord.FILE + "; name the --out folders of the shards", e);
    }
  }

  /**
   * Returns the record that all shards agree on, with the devices of all.
   *
   * @throws IllegalStateException if the folders are of different runs
   * @throws IOException if one cannot be read
   */
  public RunRecord commonRecord() throws IOException {
    RunRecord first = record(shards.getFirst());
    RunRecord common = first;
    for (Path shard : shards) {
      RunRecord other = record(shard);
      requireSameRun(first, shards.getFirst(), other, shard);
      common = common.withDevices(other.devices());
    }
    return common;
  }

  private void requireSameRun(RunRecord first, Path firstPath, RunRecord other, Path path) {
    if (!other.command().equals(command)) {
      throw new IllegalStateException(
          path + " holds a run of " + other.command() + ", not of " + command);
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
    Map<String, String> facts = other.facts().texts();
    Map<String, String> firstFacts = first.facts().texts();
    for (String name : OF_THE_MODEL) {
      if (!Objects.equals(facts.get(name), firstFacts.get(name))) {
        throw new IllegalStateException(
            path
                + " and "
                + firstPath
                + " do not agree on the model's "
                + name
                + " ("
                + facts.get(name)
                + " and "
                + firstFacts.get(name)
                + "), so the "
                + RunRecord.FILE
                + " of one of them is damaged; run that shard again in a new folder");
      }
    }
  }

  /**
   * Returns the plan of the whole run, from the shards' settings and logs.
   *
   * @throws IOException if the log of the first shard cannot be read
   */
  public SweepPlan wholePlan(Settings settings) throws IOException {
    return BlockLog.wholePlan(log(shards.getFirst()), settings.toString());
  }

  /**
   * Checks that every block of a plan is in one of the shards.
   *
   * @throws IllegalStateException if some are missing; the message names the first ones
   * @throws IOException if a log cannot be read
   */
  public void requireAllBlocks(SweepPlan plan) throws IOException {
    boolean[] found = new boolean[plan.blocks()];
    for (Path shard : shards) {
      try (BlockLog log = open(shard, plan)) {
        log.blocks().stream().forEach(block -> found[block] = true);
      }
    }
    List<String> missing =
        IntStream.range(0, found.length)
            .filter(block -> !found[block])
            .mapToObj(String::valueOf)
            .toList();
    if (!missing.isEmpty()) {
      throw new IllegalStateException(
          missing.size()
              + " of "
              + found.length
              + " blocks are missing ("
              + missing.stream().limit(LISTED).collect(Collectors.joining(", "))
              + (missing.size() > LISTED ? ", …" : "")
              + "): name the folders of all shards, and run unfinished ones to their end; given"
              + " were "
              + shards.stream().map(Path::toString).collect(Collectors.joining(", ")));
    }
  }

  /**
   * Copies the blocks of all shards that are not in a log yet.
   *
   * @param plan of the whole run
   * @param merged where they go
   * @throws IllegalStateException if two folders have different numbers for one row
   * @throws IOException if something cannot be read or written
   */
  public void copy(SweepPlan plan, BlockLog merged) throws IOException {
    for (Path shard : shards) {
      try (BlockLog log = open(shard, plan)) {
        add(log, plan, merged, shard);
      }
    }
  }

  private BlockLog open(Path shard, SweepPlan plan) throws IOException {
    return BlockLog.read(log(shard), plan);
  }

  private Path log(Path shard) throws IOException {
    Path file = RunFolder.work(shard, logName);
    if (!Files.exists(file)) {
      throw new IOException(shard + " has no finished block yet; run its shard first");
    }
    return file;
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
        numbers[r] = from.values().row(rows.from() + r).clone();
      }
      to.append(block, numbers, from.elapsedNanos(block));
    }
  }

  private static void requireEqual(RowValues one, RowValues other, RowRange rows, Path shard) {
    for (int row = rows.from(); row < rows.to(); row++) {
      if (!Arrays.equals(one.row(row), other.row(row))) {
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
