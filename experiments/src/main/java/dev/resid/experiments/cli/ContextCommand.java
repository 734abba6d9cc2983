package dev.resid.experiments.cli;

import dev.resid.experiments.language.ContextOptions;
import dev.resid.experiments.language.ContextStudy;
import dev.resid.experiments.language.PositionRange;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid language context}. */
@Command(
    name = "context",
    description = {
      "Measure SAEs by position in the context.",
      "L0, L1, squared error, norm, and what reconstructions do to the cross-entropy.",
      "--sae none with --norm measures the clean model alone: norms and cross-entropy.",
      "Without options it runs the model, the SAEs and the text that ship with Resid."
    },
    footer = {
      "",
      "The folder gets report.html, tables, figures and run.json. Stopped at any moment, the same",
      "command goes on where it was and ends in the same results. To split a run, give every",
      "machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid language context",
      "  resid language context --model models/gpt2 --weights transformerlens \\",
      "    --text openwebtext.txt --rows 100 --row-length 1024 --sae saes/blocks.6.hook_resid_pre"
    })
final class ContextCommand implements Callable<Integer> {
  /** Rows of the embedded text; with all embedded SAEs that takes about a minute. */
  private static final int ROWS = 32;

  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private SaesMixin saes;
  @Mixin private RowsMixin rows;
  @Mixin private StudyMixin run;

  @Option(
      names = "--norm",
      split = ",",
      paramLabel = "POINT",
      description = "Activations whose norm is measured besides those that SAEs read.")
  private List<String> norms = List.of();

  @Option(
      names = "--ranges",
      split = ",",
      paramLabel = "FROM-TO",
      description =
          "Positions whose means are taken together, counted from 1, such as 2-128,512; the first"
              + " and all others if left out.")
  private List<String> ranges = List.of();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the resamples for intervals; ${DEFAULT-VALUE} if left out.")
  private long seed = 1;

  /** Called by picocli. */
  ContextCommand() {}

  @Override
  public Integer call() throws IOException {
    Usage usage = new Usage(spec);
    usage.requireNames("--norm", norms.isEmpty() ? null : norms);
    usage.requireNames("--ranges", ranges.isEmpty() ? null : ranges);
    List<HookPoint> points = parse("--norm", norms, HookPoint::parse);
    List<PositionRange> given = parse("--ranges", ranges, PositionRange::parse);
    return run.run(
        spec,
        "language-context",
        backend -> {
          Gpt2 gpt2 = model.load(backend);
          TokenBatch tokens = rows.tokens(gpt2, ROWS);
          return new ContextStudy(
              gpt2,
              new ContextOptions(
                  tokens,
                  saes.load(gpt2, List.of(), backend),
                  points,
                  given.isEmpty() ? ContextOptions.firstAndRest(tokens) : given,
                  rows.name(),
                  seed));
        });
  }

  private <T> List<T> parse(String option, List<String> texts, Function<String, T> parser) {
    try {
      return texts.stream().map(parser).toList();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), option + ": " + e.getMessage(), e);
    }
  }
}
