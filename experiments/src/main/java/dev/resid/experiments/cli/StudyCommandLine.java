package dev.resid.experiments.cli;

import dev.resid.experiments.study.RowRunner;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * A command line of a study that another program than {@code resid} runs, such as one that shares
 * the blocks out to other machines.
 */
public final class StudyCommandLine {
  private static final String SHARD = "--shard";
  private static final String DEVICES = "--devices";
  private static final String OUT = "--out";
  private static final String QUIET = "--quiet";
  private static final String THREADS = "--threads";
  private static final String SAE = "--sae";

  private StudyCommandLine() {}

  /**
   * Runs a study and returns the exit code, as {@code resid} would. Never throws.
   *
   * @param program what the program is called, for sentences about its use
   * @param out where results go
   * @param err where errors and progress go
   * @param runner runs the study
   * @param args the command line of {@code resid}
   */
  public static int execute(
      String program, PrintWriter out, PrintWriter err, RowRunner runner, String... args) {
    ParseResult parsed;
    try {
      parsed = ResidCommand.commandLine(out, err, runner, args).parseArgs(args);
    } catch (ParameterException e) {
      return ResidCommand.execute(out, err, runner, args); // which says what is wrong with it
    }
    ParseResult last = last(parsed);
    boolean asksForHelp =
        parsed.asCommandLineList().stream()
            .anyMatch(line -> line.isUsageHelpRequested() || line.isVersionHelpRequested());
    if (!asksForHelp && last.commandSpec().findOption(SHARD) == null) {
      return refuse(
          err,
          program
              + " runs studies whose blocks can be shared out, those with an option "
              + SHARD
              + "; run "
              + last.commandSpec().qualifiedName().strip()
              + " with resid.");
    }
    for (String option : List.of(SHARD, DEVICES)) {
      if (last.hasMatchedOption(option)) {
        return refuse(err, program + " shares the blocks out by itself; leave " + option + " out.");
      }
    }
    return ResidCommand.execute(out, err, runner, args);
  }

  private static int refuse(PrintWriter err, String sentence) {
    err.println("resid: " + sentence);
    err.flush();
    return ResidCommand.WRONG_USAGE;
  }

  /**
   * Returns a command line for another process that computes blocks of the same study: files and
   * folders by their absolute paths, nothing shown, and without the output folder.
   *
   * @param args a command line that {@link #execute} runs
   */
  public static List<String> elsewhere(String... args) {
    CommandSpec spec =
        last(ResidCommand.commandLine(nowhere(), nowhere(), RowRunner.here(), args).parseArgs(args))
            .commandSpec();
    List<String> result = new ArrayList<>();
    for (int i = 0; i < args.length; i++) {
      int equals = args[i].startsWith("--") ? args[i].indexOf('=') : -1;
      OptionSpec option = spec.findOption(equals < 0 ? args[i] : args[i].substring(0, equals));
      if (option == null) {
        result.add(args[i]);
        continue;
      }
      if (option.arity().max() == 0) {
        if (!option.longestName().equals(QUIET)) {
          result.add(args[i]);
        }
        continue;
      }
      String value = equals < 0 ? args[++i] : args[i].substring(equals + 1);
      if (!option.longestName().equals(OUT)) {
        result.add(option.longestName());
        result.add(absolute(option, value));
      }
    }
    result.add(QUIET);
    return result;
  }

  /**
   * Returns a command line that {@link #elsewhere} made for one process.
   *
   * @param line the command line
   * @param out its output folder
   * @param threads threads of the backend, unless the command line says how many; 0 for all
   *     processors
   */
  public static List<String> in(List<String> line, Path out, int threads) {
    List<String> result = new ArrayList<>(line);
    result.addAll(List.of(OUT, out.toString()));
    if (threads > 0 && !line.contains(THREADS)) {
      result.addAll(List.of(THREADS, Integer.toString(threads)));
    }
    return result;
  }

  /** Returns the value of an option with the path of what lies here; names stay names. */
  private static String absolute(OptionSpec option, String value) {
    boolean isSae = option.longestName().equals(SAE);
    if (!isSae && !Path.class.isAssignableFrom(option.type())) {
      return value;
    }
    int family = isSae ? value.indexOf('=') + 1 : 0; // FAMILY=SAE
    try {
      Path path = Path.of(value.substring(family));
      return Files.exists(path)
          ? value.substring(0, family) + path.toAbsolutePath().normalize()
          : value;
    } catch (InvalidPathException e) {
      return value; // no path, so a name
    }
  }

  private static ParseResult last(ParseResult parsed) {
    return parsed.hasSubcommand() ? last(parsed.subcommand()) : parsed;
  }

  private static PrintWriter nowhere() {
    return new PrintWriter(PrintWriter.nullWriter());
  }
}
