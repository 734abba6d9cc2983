package dev.resid.experiments.cli;

import dev.resid.experiments.language.ContextOptions;
import dev.resid.experiments.language.PropagationStudy;
import dev.resid.model.Gpt2;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code resid language propagation}. */
@Command(
    name = "propagation",
    description = {
      "Measure what one SAE's reconstruction does to SAEs further down.",
      "That is the fractional change of squared error, L0 and norm.",
      "Without options it runs the model, the SAEs and the text that ship with Resid."
    },
    footer = {
      "",
      "The folder gets report.html, tables, figures and run.json. Stopped at any moment, the same",
      "command goes on where it was and ends in the same results. To split a run, give every",
      "machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid language propagation",
      "  resid language propagation --model models/gpt2 --weights transformerlens \\",
      "    --text openwebtext.txt --rows 100 --row-length 1024 \\",
      "    --sae saes/blocks.2.hook_resid_pre --sae saes/blocks.6.hook_resid_pre"
    })
final class PropagationCommand implements Callable<Integer> {
  /** Rows of the embedded text; with all embedded SAEs that takes about a minute. */
  private static final int ROWS = 32;

  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private SaesMixin saes;
  @Mixin private RowsMixin rows;
  @Mixin private StudyMixin run;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the resamples for intervals; ${DEFAULT-VALUE} if left out.")
  private long seed = 1;

  @Option(
      names = "--pairing",
      paramLabel = "WHICH",
      description =
          "Which values are divided: those of the same row and position (same, the default) or, as"
              + " in the published code, the one after at position 50 by those before at positions"
              + " 1 to 100 of other rows (published).")
  private PropagationStudy.Pairing pairing = PropagationStudy.Pairing.SAME;

  /** Called by picocli. */
  PropagationCommand() {}

  @Override
  public Integer call() throws IOException {
    return run.run(
        spec,
        "language-propagation",
        backend -> {
          Gpt2 gpt2 = model.load(backend);
          return new PropagationStudy(
              gpt2,
              new ContextOptions(
                  rows.tokens(gpt2, ROWS), saes.load(gpt2, List.of(), backend), rows.name(), seed),
              pairing);
        });
  }
}
