package dev.resid.experiments.cli;

import dev.resid.experiments.study.RowRunner;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.IFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code resid} command: its subcommands, and what all of them share. */
@Command(
    name = "resid",
    description = "Run GPT-2, look at every activation, change it, and measure what follows.",
    versionProvider = ResidVersion.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  resid doctor", "", "'resid COMMAND --help' explains a command."})
public final class ResidCommand implements Runnable {
  /** All commands, in the order of the help. */
  private static final List<Class<?>> COMMANDS =
      List.of(
          SensitivityCommand.class,
          PlateauCommand.class,
          SubstitutionCommand.class,
          RobustnessCommand.class,
          DictionaryCommand.class,
          PatchCommand.class,
          LanguageCommand.class,
          ReproduceCommand.class,
          MergeCommand.class,
          RunCommand.class,
          PerturbCommand.class,
          GradientsCommand.class,
          GenerateCommand.class,
          LossCommand.class,
          DownloadCommand.class,
          InfoCommand.class,
          TokenizeCommand.class,
          TrainCommand.class,
          SaeCommand.class,
          FeatureCommand.class,
          TensorsCommand.class,
          DoctorCommand.class,
          BenchCommand.class);

  /** Exit code of a command that did what was asked. */
  static final int OK = 0;

  /** Exit code for bad data, a missing file, or any other failure. */
  static final int FAILED = 1;

  /** Exit code for a command line that cannot be understood. */
  static final int WRONG_USAGE = 2;

  /** Exit code of a command whose reader went away, as a shell reports SIGPIPE. */
  static final int READER_GONE = 141;

  @Spec private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help and exit.")
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version and exit.")
  private boolean version;

  @Option(names = "--stacktrace", hidden = true, scope = ScopeType.INHERIT)
  private boolean stacktrace;

  /** Called by picocli. */
  ResidCommand() {}

  /** Refuses a command line without a subcommand. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  /**
   * Runs one command line and returns its exit code: {@value #OK}, {@value #FAILED}, {@value
   * #WRONG_USAGE} or {@value #READER_GONE}. Never throws.
   *
   * @param out where results go
   * @param err where errors and progress go
   * @param args the command line
   */
  public static int execute(PrintWriter out, PrintWriter err, String... args) {
    return execute(out, err, RowRunner.here(), args);
  }

  /** As {@link #execute(PrintWriter, PrintWriter, String...)}, with studies run by a runner. */
  static int execute(PrintWriter out, PrintWriter err, RowRunner runner, String... args) {
    try {
      int code = commandLine(out, err, runner, args).execute(args);
      out.flush();
      return code;
    } catch (Throwable problem) {
      // An Error that picocli does not handle, or the flush.
      return report(problem, err, wantsStackTrace(List.of(args)));
    } finally {
      err.flush();
    }
  }

  /** Returns the command line with all its subcommands, for {@link #execute} and for tests. */
  static CommandLine commandLine(PrintWriter out, PrintWriter err) {
    return commandLine(out, err, RowRunner.here());
  }

  /**
   * Returns the command line for some words. Where they begin with a command, that one alone is
   * made: to make all takes longer than many a command.
   */
  static CommandLine commandLine(
      PrintWriter out, PrintWriter err, RowRunner runner, String... args) {
    CommandLine line = new CommandLine(new ResidCommand(), new Parts(runner));
    commands(args).forEach(line::addSubcommand);
    line.setOut(out);
    line.setErr(err);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.registerConverter(Path.class, new PathConverter());
    line.setUsageHelpAutoWidth(false);
    line.setUsageHelpWidth(100);
    line.setExecutionStrategy(
        parsed -> {
          try {
            return new RunLast().execute(parsed);
          } catch (StandardOutput.FailedException e) {
            // While showing help: picocli expects failures from commands only.
            throw new ExecutionException(line, e.getMessage(), e);
          }
        });
    line.setExecutionExceptionHandler(
        (problem, at, parsed) ->
            report(problem, at.getErr(), wantsStackTrace(parsed.originalArgs())));
    line.setParameterExceptionHandler((problem, parsed) -> reportUsage(problem));
    return line;
  }

  private static List<Class<?>> commands(String... args) {
    for (Class<?> command : args.length == 0 ? List.<Class<?>>of() : COMMANDS) {
      if (command.getAnnotation(Command.class).name().equals(args[0])) {
        return List.of(command);
      }
    }
    return COMMANDS;
  }

  /** Makes commands and mixins, those of studies with the runner. */
  private record Parts(RowRunner runner) implements IFactory {
    @Override
    public <K> K create(Class<K> type) throws Exception {
      if (type == StudyMixin.class) {
        return type.cast(new StudyMixin(runner));
      }
      if (type == SaeEvaluateCommand.class) {
        return type.cast(new SaeEvaluateCommand(runner));
      }
      return CommandLine.defaultFactory().create(type);
    }
  }

  private static int report(Throwable problem, PrintWriter err, boolean stackTrace) {
    if (problem instanceof StandardOutput.FailedException failure && failure.readerIsGone()) {
      return READER_GONE;
    }
    err.println("resid: " + ErrorSentence.of(problem));
    if (stackTrace) {
      problem.printStackTrace(err);
    }
    return FAILED;
  }

  private static int reportUsage(ParameterException problem) {
    CommandLine at = problem.getCommandLine();
    PrintWriter err = at.getErr();
    err.println(
        "resid: " + ErrorSentence.oneLine(withoutPrefix(problem.getMessage()) + hint(problem)));
    UnmatchedArgumentException.printSuggestions(problem, err);
    err.println("Try '" + at.getCommandSpec().qualifiedName() + " --help'.");
    return WRONG_USAGE;
  }

  /** Returns how a model is named, where a command that takes one has a word too many. */
  private static String hint(ParameterException problem) {
    if (!(problem instanceof UnmatchedArgumentException unmatched)
        || unmatched.isUnknownOption()
        || unmatched.getUnmatched().size() != 1
        || problem.getCommandLine().getCommandSpec().findOption("--model") == null) {
      return "";
    }
    return "; a model is named with --model " + unmatched.getUnmatched().getFirst();
  }

  /** Some messages of picocli begin with a word that says nothing. */
  private static String withoutPrefix(String message) {
    String prefix = "Error: ";
    return message.startsWith(prefix) ? message.substring(prefix.length()) : message;
  }

  private static boolean wantsStackTrace(List<String> args) {
    return args.contains("--stacktrace") || "1".equals(System.getenv("RESID_DEBUG"));
  }
}
