package dev.resid.experiments.cli;

import dev.resid.experiments.dictionary.DictionaryOptions;
import dev.resid.experiments.dictionary.DictionaryOptions.Atoms;
import dev.resid.experiments.dictionary.DictionaryStudy;
import dev.resid.model.Gpt2;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code resid dictionary}: SAEs as dictionaries of directions. */
@Command(
    name = "dictionary",
    description = {
      "Remove the most frequent features of SAEs, and find directions that two SAEs share.",
      "Their errors are set against the norms of what they reconstruct. Without options it runs"
          + " the",
      "model, the SAEs and the text that ship with Resid."
    },
    footer = {
      "",
      "The folder gets report.html, tables as CSV, figures and run.json. Stopped at any moment,"
          + " the",
      "same command goes on where it was and ends in the same results. To split a run, give every",
      "machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid dictionary",
      "  resid dictionary --sae saes/small --sae saes/large --atoms all --out sizes"
    })
final class DictionaryCommand implements Callable<Integer> {
  /** Rows of the embedded text that take a minute or two on two cores. */
  private static final int EMBEDDED_ROWS = 12;

  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private StudyMixin run;
  @Mixin private RowsMixin rows;
  @Mixin private SaesMixin saes;

  @Option(
      names = "--atoms",
      paramLabel = "WHICH",
      description =
          "alive or all: which directions are compared; those of features that are active in the"
              + " text if left out.")
  private Atoms atoms = Atoms.ALIVE;

  @Option(
      names = "--one-to-one",
      paramLabel = "N",
      description =
          "Find one-to-one partners for SAEs of at most N directions; ${DEFAULT-VALUE} if left out."
              + " Memory grows with the square of N, time with the cube; 0 for none.")
  private int oneToOne = DictionaryOptions.DEFAULT_ASSIGNED_AT_MOST;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of random directions and resamples; ${DEFAULT-VALUE} if left out.")
  private long seed = DictionaryOptions.DEFAULT_SEED;

  /** Called by picocli. */
  DictionaryCommand() {}

  @Override
  public Integer call() throws IOException {
    return run.run(
        spec,
        DictionaryStudy.COMMAND,
        backend -> {
          Gpt2 gpt2 = model.load(backend);
          return new DictionaryStudy(
              gpt2,
              new DictionaryOptions(
                  rows.tokens(gpt2, EMBEDDED_ROWS),
                  rows.name(),
                  saes.load(gpt2, List.of(), backend),
                  atoms,
                  oneToOne,
                  seed));
        });
  }
}
