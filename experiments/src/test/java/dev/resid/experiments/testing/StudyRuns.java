package dev.resid.experiments.testing;

import dev.resid.experiments.study.Study;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Runs that end too early, and whether two runs left the same behind. */
public final class StudyRuns {
  /** Files that say when something was done, or by whom. */
  private static final Set<String> RECORDS = Set.of("run.json", "training.json", ".lock");

  private StudyRuns() {}

  /** Thrown by {@link #interruptedAfter}. */
  public static final class PulledPlug extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** Returns progress that ends the process, as far as a test can, after some reports. */
  public static Progress interruptedAfter(int reports) {
    int[] left = {reports};
    return (name, unit, done, total) ->
        new Progress.Task() {
          @Override
          public void advanceTo(long count) {
            if (left[0]-- == 0) {
              throw new PulledPlug();
            }
          }

          @Override
          public void detail(String text) {
            // not looked at
          }

          @Override
          public void close() {
            // nothing is open
          }
        };
  }

  /** Runs a study, or a part of it. */
  public static void run(Study study, Path folder, Shard shard, Progress progress, Workers workers)
      throws IOException {
    if (shard.count() == 1) {
      study.run(folder, progress, workers);
    } else {
      study.runPart(folder, shard, progress, workers);
    }
  }

  /** Returns the files of results that differ between two folders, or are in one of them only. */
  public static List<String> differences(Path one, Path other) throws IOException {
    Map<String, String> left = results(one);
    Map<String, String> right = results(other);
    if (left.size() < 2) {
      throw new AssertionError("no results in " + one + ": " + left.keySet());
    }
    return Stream.concat(left.keySet().stream(), right.keySet().stream())
        .distinct()
        .filter(file -> !left.getOrDefault(file, "").equals(right.get(file)))
        .toList();
  }

  /** Returns everything but times and what is needed to go on, as hexadecimal digits. */
  private static Map<String, String> results(Path folder) throws IOException {
    Map<String, String> content = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = folder.relativize(file).toString();
        if (!name.startsWith("blocks")
            && !name.startsWith("checkpoint")
            && !name.matches("hub/(\\.locks|[^/]*/\\.no_exist)/.*")
            && !RECORDS.contains(name)) {
          content.put(name, HexFormat.of().formatHex(Files.readAllBytes(file)));
        }
      }
    }
    return content;
  }
}
