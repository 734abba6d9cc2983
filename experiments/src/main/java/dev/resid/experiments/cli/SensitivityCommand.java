package dev.resid.experiments.cli;

import dev.resid.experiments.direction.DirectionKind;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.direction.SaeDirectionKind;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.sensitivity.Lengths;
import dev.resid.experiments.sensitivity.Moved;
import dev.resid.experiments.sensitivity.SensitivityOptions;
import dev.resid.experiments.sensitivity.SensitivityStudy;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code resid sensitivity}: the first figure of the sensitive-directions work. */
@Command(
    name = "sensitivity",
    description = {
      "Measure how much the prediction changes when the residual stream is moved.",
      "KL and L2 against the length of the move, in isotropic, cov-random and real directions.",
      "Without options it runs the model and the text that ship with Resid."
    },
    footer = {
      "",
      "The folder gets report.html, results.csv, figures and run.json. Stopped at any moment, the",
      "same command goes on where it was and ends in the same results. To split a run, give every",
      "machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid sensitivity",
      "  resid sensitivity --model models/gpt2 --text openwebtext.txt --rows 16000 \\",
      "    --layer 6 --out gpt2-layer6",
      "  resid sensitivity --model models/gpt2 --text openwebtext.txt --shard 0/4 --out shard0"
    })
final class SensitivityCommand implements Callable<Integer> {
  /** Rows of the embedded text that the embedded model gets through in a minute on two cores. */
  private static final int EMBEDDED_ROWS = 96;

  /** The same with all directions of the SAEs that ship with it, in two minutes. */
  private static final int EMBEDDED_ROWS_WITH_SAES = 24;

  @Spec private CommandSpec spec;
  private Usage usage;
  @Mixin private ModelOptionsMixin model;
  @Mixin private StudyMixin run;

  @Mixin private RowsMixin rowsOfText;
  @Mixin private SaesMixin saes;
  @Mixin private BatchMixin batch;

  @Option(
      names = "--layer",
      paramLabel = "L",
      description = "Block whose resid_pre is perturbed; the middle one if left out.")
  private Integer layer;

  @Option(
      names = "--lengths",
      paramLabel = "LIST",
      description =
          "Perturbation lengths: numbers such as 1,3,10; published (1 to 101); or scaled"
              + " (published, times the mean distance of activations over GPT-2's). Published for"
              + " models of GPT-2 small's size, scaled for others if left out.")
  private String lengths;

  @Option(
      names = "--directions",
      paramLabel = "LIST",
      split = ",",
      description =
          "Which directions: isotropic, cov-random-difference, cov-random-mixture, real-difference,"
              + " real-mixture, and of every SAE sae-error, sae-feature (alive but not active in"
              + " the row), sae-feature-active, sae-feature-dead; all but the last two if left"
              + " out.")
  private List<String> directions;

  @Option(
      names = "--perturb",
      paramLabel = "POSITIONS",
      description =
          "Positions that are perturbed: all at once (all, the default, as published), all but the"
              + " first (without-first), or one, counted from 0, which is then read alone.")
  private String perturb = "all";

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of all random draws; ${DEFAULT-VALUE} if left out, as published.")
  private long seed = SensitivityOptions.DEFAULT_SEED;

  @Option(
      names = "--pool",
      paramLabel = "N",
      description =
          "Real activations are drawn from so many, chosen at random; ${DEFAULT-VALUE} if left"
              + " out.")
  private int pool = SensitivityOptions.DEFAULT_POOL;

  @Option(
      names = "--ridge",
      paramLabel = "X",
      description =
          "Added to the diagonal of the covariance; ${DEFAULT-VALUE} if left out, as published.")
  private double ridge = SensitivityOptions.DEFAULT_RIDGE;

  /** Called by picocli. */
  SensitivityCommand() {}

  @Override
  public Integer call() throws IOException {
    usage = new Usage(spec);
    batch.require();
    usage.requireAtLeast("--layer", layer, 0);
    usage.requireAtLeast("--pool", pool, SensitivityOptions.SMALLEST_POOL);
    usage.requireNotNegative("--ridge", ridge);
    usage.requireNames("--directions", directions);
    Lengths asked = usage.of(() -> lengths == null ? null : Lengths.parse(lengths));
    usage.of(() -> Moved.parse(perturb));
    usage.of(() -> directions == null ? List.of() : directions.stream().map(this::known).toList());
    return run.run(spec, SensitivityStudy.COMMAND, backend -> study(backend, asked));
  }

  private SensitivityStudy study(Backend backend, Lengths asked) throws IOException {
    Gpt2 gpt2 = model.load(backend);
    Gpt2Config config = gpt2.config();
    int perturbed = layer == null ? config.nLayers() / 2 : layer;
    List<NamedSae> named = saes.load(gpt2, List.of(HookPoint.residPre(perturbed)), backend);
    List<SweptDirection> kinds = directions(named);
    boolean ofSaes = kinds.stream().anyMatch(SweptDirection.OfSae.class::isInstance);
    return new SensitivityStudy(
        gpt2,
        new SensitivityOptions(
            rowsOfText.tokens(gpt2, ofSaes ? EMBEDDED_ROWS_WITH_SAES : EMBEDDED_ROWS),
            rowsOfText.name(),
            perturbed,
            asked == null ? Lengths.usual(config) : asked,
            kinds,
            Moved.parse(perturb),
            ofSaes ? named : List.of(),
            seed,
            pool,
            ridge,
            batch.rows()));
  }

  private String known(String word) {
    return SaeDirectionKind.isOne(word) ? word : DirectionKind.of(word).word();
  }

  /** Returns the directions asked for, those of SAEs once for each. */
  private List<SweptDirection> directions(List<NamedSae> named) {
    if (directions == null) {
      return SensitivityOptions.usualDirections(named);
    }
    List<SweptDirection> all = new ArrayList<>();
    for (String word : directions) {
      if (!SaeDirectionKind.isOne(word)) {
        all.add(new SweptDirection.Baseline(DirectionKind.of(word)));
        continue;
      }
      if (named.isEmpty()) {
        throw new IllegalArgumentException(
            "direction " + word + " needs an SAE and there is none here; name one with --sae");
      }
      for (NamedSae sae : named) {
        all.add(new SweptDirection.OfSae(SaeDirectionKind.of(word), sae.name()));
      }
    }
    return all;
  }
}
