package dev.resid.experiments.cli;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.robustness.RobustnessOptions;
import dev.resid.experiments.robustness.RobustnessStudy;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code resid robustness}: activations turned by an angle, and SAEs at equal cosine. */
@Command(
    name = "robustness",
    description = {
      "Turn activations by random angles with the norm held, by site and layer.",
      "SAE reconstructions are compared with random vectors at the same cosine. Without options it",
      "runs the model, the SAEs and the text that ship with Resid."
    },
    footer = {
      "",
      "The folder gets report.html, results.csv, saes.csv, figures and run.json. Stopped at any",
      "moment, the same command goes on where it was and ends in the same results. To split a run,",
      "give every machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid robustness",
      "  resid robustness --model models/gpt2 --weights transformerlens --text openwebtext.txt \\",
      "    --sites attn_out,mlp_out --layers 0,1 --sae saes/blocks.6.hook_resid_pre"
    })
final class RobustnessCommand implements Callable<Integer> {
  /** Rows of the embedded text that take a minute or two on two cores. */
  private static final int EMBEDDED_ROWS = 24;

  @Spec private CommandSpec spec;
  private Usage usage;
  @Mixin private ModelOptionsMixin model;
  @Mixin private StudyMixin run;
  @Mixin private RowsMixin rows;
  @Mixin private SaesMixin saes;
  @Mixin private BatchMixin batch;

  @Option(
      names = "--sites",
      paramLabel = "LIST",
      split = ",",
      description =
          "Of attn_out, mlp_out, resid_pre, resid_mid, resid_post; the first three if left out.")
  private List<String> sites;

  @Option(
      names = "--layers",
      paramLabel = "LIST",
      split = ",",
      description = "Which layers, such as 0,1; all if left out.")
  private List<Integer> layers;

  @Option(
      names = "--cosines",
      paramLabel = "LIST",
      split = ",",
      description =
          "Cosines with the activation, descending; 1,0.99,0.97,0.9,0.8,0.6,0.4,0.2,0 if left out.")
  private List<Double> cosines = RobustnessOptions.DEFAULT_COSINES;

  @Option(
      names = "--norms",
      paramLabel = "LIST",
      split = ",",
      description =
          "Norms of the replacements as shares of the activation's; 0.9,1 if left out, the first as"
              + " published.")
  private List<Double> norms = RobustnessOptions.DEFAULT_RATIOS;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of all random draws; ${DEFAULT-VALUE} if left out.")
  private long seed = RobustnessOptions.DEFAULT_SEED;

  /** Called by picocli. */
  RobustnessCommand() {}

  @Override
  public Integer call() throws IOException {
    usage = new Usage(spec);
    batch.require();
    usage.requireNames("--sites", sites);
    usage.requireNames("--layers", layers);
    usage.of(() -> RobustnessOptions.requireNumbers(cosines, norms));
    List<Site> asked = sites();
    return run.run(
        spec,
        RobustnessStudy.COMMAND,
        backend -> {
          Gpt2 gpt2 = model.load(backend);
          List<NamedSae> named = saes.load(gpt2, List.of(), backend);
          return new RobustnessStudy(
              gpt2,
              new RobustnessOptions(
                  rows.tokens(gpt2, EMBEDDED_ROWS),
                  rows.name(),
                  RobustnessOptions.points(asked, layers(gpt2)),
                  cosines,
                  norms,
                  named,
                  seed,
                  batch.rows()));
        });
  }

  private List<Site> sites() {
    if (sites == null) {
      return RobustnessOptions.DEFAULT_SITES;
    }
    List<Site> found = new ArrayList<>();
    for (String name : sites) {
      found.add(
          usage.of(
              () -> HookPoint.parse("blocks.0.hook_" + name.replaceFirst("^hook_", "")).site()));
    }
    return found;
  }

  private List<Integer> layers(Gpt2 gpt2) {
    if (layers == null) {
      return IntStream.range(0, gpt2.config().nLayers()).boxed().toList();
    }
    for (int layer : layers) {
      if (layer < 0 || layer >= gpt2.config().nLayers()) {
        throw usage.wrong(
            "--layers names layer "
                + layer
                + ", but the model has layers 0 to "
                + (gpt2.config().nLayers() - 1));
      }
    }
    return layers;
  }
}
