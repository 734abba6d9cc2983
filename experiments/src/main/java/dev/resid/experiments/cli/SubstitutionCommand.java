package dev.resid.experiments.cli;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.substitution.Readout;
import dev.resid.experiments.substitution.Substitute;
import dev.resid.experiments.substitution.SubstitutionOptions;
import dev.resid.experiments.substitution.SubstitutionStudy;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
  private Usage usage;
  @Mixin private ModelOptionsMixin model;
  @Mixin private StudyMixin run;
  @Mixin private RowsMixin rows;
  @Mixin private SaesMixin saes;
  @Mixin private BatchMixin batch;

  @Option(
      names = "--substitutes",
      paramLabel = "LIST",
      split = ",",
      description =
          "Which: sae, isotropic, cov-random-mixture, real-mixture, norm-corrected, norm-only,"
              + " theta-random, theta-random-sae-norm, zero, mean, mean-with-first; all but the"
              + " last if left out. mean-with-first has position 0 in the mean, as one published"
              + " number does.")
  private List<String> substitutes;

  @Option(
      names = "--ablate",
      paramLabel = "POINT",
      split = ",",
      description =
          "Activations that are replaced by zero and mean besides those of the SAEs; with --sae"
              + " none by these alone.")
  private List<String> ablated;

  @Option(
      names = "--read",
      paramLabel = "LIST",
      split = ",",
      description =
          "What is measured: kl, l2, ce (cross-entropy, for which every prediction is computed a"
              + " second time); kl,l2 if left out.")
  private List<String> readouts;

  @Option(
      names = "--alone",
      paramLabel = "LIST",
      split = ",",
      description =
          "Which of the substitutes are put in at a single position too; sae, isotropic,"
              + " cov-random-mixture, real-mixture, zero and mean if left out, none for none.")
  private List<String> alone;

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

  /** Called by picocli. */
  SubstitutionCommand() {}

  @Override
  public Integer call() throws IOException {
    usage = new Usage(spec);
    usage.requireAtLeast("--position", position, 0);
    usage.requireAtLeast("--pool", pool, SubstitutionOptions.SMALLEST_POOL);
    batch.require();
    usage.requireNotNegative("--ridge", ridge);
    usage.requireNames("--substitutes", substitutes);
    usage.requireNames("--alone", alone);
    usage.requireNames("--ablate", ablated);
    usage.requireNames("--read", readouts);
    List<Substitute> asked = usage.named(substitutes, Substitute::of, Substitute.USUAL);
    List<Substitute> single =
        List.of("none").equals(alone)
            ? List.of()
            : usage.named(alone, Substitute::of, Substitute.USUALLY_ALONE);
    List<HookPoint> points = usage.named(ablated, HookPoint::parse, List.of());
    List<Readout> read = usage.named(readouts, Readout::of, Readout.PUBLISHED);
    return run.run(
        spec,
        SubstitutionStudy.COMMAND,
        backend -> {
          Gpt2 gpt2 = model.load(backend);
          List<NamedSae> named = saes.load(gpt2, List.of(), backend);
          return new SubstitutionStudy(
              gpt2,
              new SubstitutionOptions(
                  rows.tokens(gpt2, EMBEDDED_ROWS),
                  rows.name(),
                  named,
                  points,
                  asked,
                  read,
                  single,
                  position,
                  seed,
                  pool,
                  ridge,
                  batch.rows()));
        });
  }
}
