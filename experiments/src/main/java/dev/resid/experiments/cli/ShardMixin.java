package dev.resid.experiments.cli;

import dev.resid.experiments.study.RowRunner;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.SideBySide;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The option {@code --shard} of runs that several machines share. */
final class ShardMixin {
  @Option(
      names = "--shard",
      paramLabel = "I/N",
      converter = Parser.class,
      description = "Compute one of N parts, counted from 0.")
  private Shard shard = Shard.WHOLE;

  /** Called by picocli. */
  ShardMixin() {}

  /** Reads {@code 0/4}. */
  static final class Parser implements ITypeConverter<Shard> {
    /** Called by picocli. */
    Parser() {}

    @Override
    public Shard convert(String text) {
      try {
        return Shard.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** Returns which part this process computes. */
  Shard part() {
    return shard;
  }

  /**
   * Runs a study, or its part.
   *
   * @param runner of whole runs on one backend
   * @param rows the same study on each backend
   * @param folder where results go
   * @param progress told about every step
   * @param workers threads for what backends do not do
   * @return the results; of one of several parts, or where this process computed for another, none
   * @throws IOException if something cannot be read or written
   */
  <T> Optional<T> run(
      RowRunner runner, List<RowStudy<T>> rows, Path folder, Progress progress, Workers workers)
      throws IOException {
    RowStudy<T> first = rows.getFirst();
    if (rows.size() > 1) {
      return first.run(
          folder, shard, new SideBySide(rows.subList(1, rows.size())), progress, workers);
    }
    return isPart()
        ? first.run(folder, shard, progress, workers)
        : runner.run(first, folder, progress, workers);
  }

  /** Returns whether it is one of several. */
  boolean isPart() {
    return shard.count() > 1;
  }

  /** Returns the folder of a run of this name, each part's its own. */
  Path folder(String name) {
    return Path.of(isPart() ? name + "-" + shard.index() + "-of-" + shard.count() : name);
  }

  /** Prints that one of several parts is finished. */
  static void print(PrintWriter console, Path folder) {
    console.println(
        "This part is finished: "
            + folder
            + ". When all are, put them together with 'resid merge OUT FOLDERS...'.");
  }
}
