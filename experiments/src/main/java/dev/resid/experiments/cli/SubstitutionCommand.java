package dev.resid.experiments.cli;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.substitution.Substitute;
import dev.resid.experiments.substitution.SubstitutionOptions;
import dev.resid.experiments.substitution.SubstitutionOutcome;
import dev.resid.experiments.substitution.SubstitutionStudy;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid substitution}: SAE reconstructions against random changes of the same length. */
@Command(
    name = "substitution",
    description = {
      "Replace activations by SAE reconstructions and by random changes of the same length.",
      "What each does to the prediction is compared. Without options it runs the model, the SAEs",
      "and the text that ship with Resid."
    },
    footer = {
      "",
      "The folder gets report.html, results.csv, figures and run.json. Stopped at any moment, the",
      "same command goes on where it was and ends in the same results. To split a run, give every",
      "machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid substitution",
      "  resid substitution --model models/gpt2 --weights transformerlens --text openwebtext.txt"
          + " \\",
      "    --sae saes/blocks.6.hook_resid_pre --sae saes/blocks.8.hook_resid_pre"
    })
final class SubstitutionCommand implements Callable<Integer> {
  /** Rows of the embedded text that take a minute or two on two cores. */
  private static final int EMBEDDED_ROWS = 48;

  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private BackendOptionsMixin backendOptions;
  @Mixin private ProgressMixin progress;
  @Mixin private RowsMixin rows;
  @Mixin private SaesMixin saes;

  @Option(
      names = "--substitutes",
      paramLabel = "LIST",
      split = ",",
      description =
          "Which: sae, isotropic, cov-random-mixture, real-mixture, norm-corrected, norm-only,"
              + " theta-random, theta-random-sae-norm, zero, mean; all if left out.")
  private List<String> substitutes;

  @Option(
      names = "--position",
      paramLabel = "P",
      description = "The position that is replaced alone; ${DEFAULT-VALUE} if left out.")
  private int position = SubstitutionOptions.DEFAULT_POSITION;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of all random draws; ${DEFAULT-VALUE} if left out, as published.")
  private long seed = SubstitutionOptions.DEFAULT_SEED;

  @Option(
      names = "--pool",
      paramLabel = "N",
      description = "Real activations are drawn from so many; ${DEFAULT-VALUE} if left out.")
  private int pool = SubstitutionOptions.DEFAULT_POOL;

  @Option(
      names = "--ridge",
      paramLabel = "X",
      description = "Added to the diagonal of the covariance; ${DEFAULT-VALUE} if left out.")
  private double ridge = SubstitutionOptions.DEFAULT_RIDGE;

  @Option(
      names = "--shard",
      paramLabel = "I/N",
      description = "Compute one of N parts, counted from 0.")
  private String shard;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Rows at a time; what fits if left out. Results do not depend on it.")
  private int batch;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Output folder; substitution if left out.")
  private Path out;

  /** Called by picocli. */
  SubstitutionCommand() {}

  @Override
  public Integer call() throws IOException {
    Shard part = usage(() -> shard == null ? Shard.WHOLE : Shard.parse(shard));
    List<Substitute> asked =
        usage(
            () ->
                substitutes == null
                    ? Arrays.asList(Substitute.values())
                    : substitutes.stream().map(Substitute::of).toList());
    PrintWriter console = spec.commandLine().getOut();
    try (Backend backend = backendOptions.open();
        Workers workers = new Workers(backendOptions.threads())) {
      Gpt2 gpt2 = model.load(backend);
      List<NamedSae> named = saes.load(gpt2, List.of(), backend);
      SubstitutionOptions options =
          new SubstitutionOptions(
              rows.tokens(gpt2, EMBEDDED_ROWS),
              rows.name(),
              named,
              asked,
              position,
              seed,
              pool,
              ridge,
              part,
              batch);
      SubstitutionStudy study = new SubstitutionStudy(gpt2, options);
      if (!progress.quiet()) {
        spec.commandLine().getErr().println(study.plan() + ".");
      }
      print(console, study.run(folder(part), progress.progress(), workers));
    }
    return ResidCommand.OK;
  }

  /** Prints what was found and where it is. */
  static void print(PrintWriter console, SubstitutionOutcome outcome) {
    if (outcome.report().isEmpty()) {
      console.println(
          "This part is finished: "
              + outcome.folder()
              + ". When all are, put them together with 'resid merge OUT FOLDERS...'.");
      return;
    }
    for (Finding finding : outcome.findings()) {
      console.println(finding.expected() + ": " + finding.verdict().words() + ".");
    }
    console.println("Report: " + outcome.report().get());
  }

  private Path folder(Shard part) {
    if (out != null) {
      return out;
    }
    return Path.of(
        part.count() == 1
            ? "substitution"
            : "substitution-" + part.index() + "-of-" + part.count());
  }

  private <T> T usage(Supplier<T> value) {
    try {
      return value.get();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
