package dev.resid.experiments.cli;

import dev.resid.experiments.dictionary.DictionaryOptions;
import dev.resid.experiments.dictionary.DictionaryOptions.Atoms;
import dev.resid.experiments.dictionary.DictionaryOptions.Part;
import dev.resid.experiments.dictionary.DictionaryStudy;
import dev.resid.model.Gpt2;
import java.io.IOException;
import java.util.EnumSet;
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
      "Look at SAEs as dictionaries: their features one by one, and directions they share.",
      "What are their most frequent features worth, what do single features respond to and do, how"
          + " do they lead to later ones? Without options it runs the model, the SAEs and the text"
          + " that ship with Resid."
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
      "  resid dictionary --parts features --features 40 --sae saes/small --out features",
      "  resid dictionary --sae saes/small --sae saes/large --atoms all --out sizes"
    })
final class DictionaryCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private StudyMixin run;
  @Mixin private RowsMixin rows;
  @Mixin private SaesMixin saes;

  @Option(
      names = "--parts",
      paramLabel = "PART",
      split = ",",
      description =
          "Which experiments, separated by commas, all if left out: dictionaries (frequent features"
              + " removed, norms against errors, cosines between SAEs), features (single features:"
              + " examples of every height, logit lens, ablated text, previous words, ablation),"
              + " connections (to features of a later SAE).")
  private List<Part> parts;

  @Option(
      names = "--features",
      paramLabel = "N",
      description =
          "Look at N features of each SAE one by one, drawn from those active on at least 10"
              + " tokens; ${DEFAULT-VALUE} if left out.")
  private int features = DictionaryOptions.DEFAULT_FEATURES;

  @Option(
      names = "--removal-rows",
      paramLabel = "N",
      description =
          "Remove features in the first N rows only, which costs most; ${DEFAULT-VALUE} if left"
              + " out. Frequencies, examples and fits use all rows.")
  private int removalRows = DictionaryOptions.DEFAULT_REMOVAL_ROWS;

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
                  rows.tokens(gpt2, RowsMixin.EMBEDDED_ROWS),
                  rows.name(),
                  saes.load(gpt2, List.of(), backend),
                  parts == null ? EnumSet.allOf(Part.class) : EnumSet.copyOf(parts),
                  removalRows,
                  features,
                  atoms,
                  oneToOne,
                  seed));
        });
  }
}
