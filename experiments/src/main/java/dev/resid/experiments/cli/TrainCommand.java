package dev.resid.experiments.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid train}: the group of commands that learn something from text. */
@Command(
    name = "train",
    description = "Train a model, a sparse autoencoder or a tokenizer.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Example:",
      "  resid train tokenizer --text texts/ --vocab-size 4096 --out my-tokenizer"
    },
    subcommands = {TrainGpt2Command.class, TrainSaeCommand.class, TrainTokenizerCommand.class})
final class TrainCommand implements Runnable {
  @Spec private CommandSpec spec;

  /** Called by picocli. */
  TrainCommand() {}

  /** Refuses a command line that does not say what to train. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "what to train is missing");
  }
}
