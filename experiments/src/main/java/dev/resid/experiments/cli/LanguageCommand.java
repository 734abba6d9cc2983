package dev.resid.experiments.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid language}: how well a model speaks with reconstructed activations. */
@Command(
    name = "language",
    description = "Measure how well a model predicts words when activations are replaced by SAEs.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  resid language lambada"},
    subcommands = {
      ContextCommand.class,
      PropagationCommand.class,
      LambadaCommand.class,
      CbtCommand.class,
      LanguageFeaturesCommand.class
    })
final class LanguageCommand implements Runnable {
  @Spec private CommandSpec spec;

  /** Called by picocli. */
  LanguageCommand() {}

  /** Refuses a command line without a subcommand. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }
}
