package dev.resid.experiments.cli;

import dev.resid.experiments.sweep.Shard;
import java.io.PrintWriter;
import java.nio.file.Path;
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
