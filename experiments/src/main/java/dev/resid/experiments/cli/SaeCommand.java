package dev.resid.experiments.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid sae}: the group of commands about sparse autoencoders. */
@Command(
    name = "sae",
    description = "List, inspect, run and judge sparse autoencoders (SAEs).",
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  resid sae list --release gpt2-small-res-jb"},
    subcommands = {
      SaeListCommand.class,
      SaeInfoCommand.class,
      SaeCheckCommand.class,
      SaeEvaluateCommand.class,
      SaeEncodeCommand.class,
      SaeDecodeCommand.class
    })
final class SaeCommand implements Runnable {
  @Spec private CommandSpec spec;

  /** Called by picocli. */
  SaeCommand() {}

  /** Refuses a command line that does not say what to do. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "what to do with SAEs is missing");
  }
}
