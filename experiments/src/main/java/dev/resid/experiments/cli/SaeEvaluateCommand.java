package dev.resid.experiments.cli;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.saereport.SaeEvaluationOptions;
import dev.resid.experiments.saereport.SaeEvaluationOutcome;
import dev.resid.experiments.saereport.SaeEvaluationStudy;
import dev.resid.experiments.study.RowRunner;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.metric.SaeMetric;
import dev.resid.sae.metric.TokenScope;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code resid sae evaluate}: every metric of an SAE on a token set. */
@Command(
    name = "evaluate",
    description = {
      "Judge an SAE: sparsity, reconstruction, loss and KL with the reconstruction in the model,"
          + " alive, dead and dense features; over all positions and without the first."
    },
    footer = {
      "",
      "The folder gets report.html, report.json (every metric by name), metrics.csv, features.csv,",
      "frequencies.csv, figures and run.json. Stopped at any moment, the same command goes on"
          + " where",
      "it was and ends in the same results. To split a run, give every machine one --shard and",
      "its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid sae evaluate --sae my-sae --out my-sae-report",
      "  resid sae evaluate --sae saes/blocks.8.hook_resid_pre --model models/gpt2 \\",
      "    --text openwebtext.txt --rows 400 --out layer8"
    })
final class SaeEvaluateCommand implements Callable<Integer> {
  private static final List<SaeMetric> PRINTED =
      List.of(
          SaeMetric.L0,
          SaeMetric.EXPLAINED_VARIANCE,
          SaeMetric.CE_CLEAN,
          SaeMetric.CE_INCREASE,
          SaeMetric.CE_RECOVERED_ZERO_ABLATION,
          SaeMetric.CE_RECOVERED_MEAN_ABLATION,
          SaeMetric.KL_SAE,
          SaeMetric.ALIVE_FEATURES,
          SaeMetric.DEAD_FEATURES,
          SaeMetric.DENSE_FEATURES);

  @Spec private CommandSpec spec;
  @Mixin private SaeMixin sae;
  @Mixin private ModelFolderMixin model;
  @Mixin private RowsMixin text;
  @Mixin private BackendsMixin backends;
  @Mixin private ProgressMixin progress;
  @Mixin private ShardMixin shard;
  @Mixin private BatchMixin batch;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "Output folder.")
  private Path out;

  private final RowRunner runner;

  /**
   * Called by picocli.
   *
   * @param runner runs whole studies
   */
  SaeEvaluateCommand(RowRunner runner) {
    this.runner = runner;
  }

  @Override
  public Integer call() throws IOException {
    batch.require();
    OutputPaths.requireFolder(out);
    try (BackendsMixin.Opened opened = backends.open();
        Workers workers = new Workers(backends.threads());
        SaeCheckpoint checkpoint = sae.open()) {
      List<RowStudy<SaeEvaluationOutcome>> rows = new ArrayList<>();
      for (Backend backend : opened.all()) {
        rows.add(study(checkpoint, backend).rows());
      }
      PrintWriter console = spec.commandLine().getOut();
      shard
          .run(runner, rows, out, progress.progress(), workers)
          .ifPresentOrElse(
              outcome -> print(console, outcome),
              () -> {
                if (shard.isPart()) {
                  ShardMixin.print(console, out);
                }
              });
    }
    return ResidCommand.OK;
  }

  private SaeEvaluationStudy study(SaeCheckpoint checkpoint, Backend backend) throws IOException {
    Gpt2 gpt2 = SaeMixin.model(model, checkpoint.config(), backend);
    TokenBatch tokens = text.tokens(gpt2, RowsMixin.EMBEDDED_ROWS);
    NamedSae named =
        new NamedSae(
            sae.name().replace(':', '-'),
            sae.name(),
            checkpoint.sha256(),
            checkpoint.load(backend));
    return new SaeEvaluationStudy(
        gpt2, named, new SaeEvaluationOptions(tokens, text.name(), batch.rows()));
  }

  /** Prints the metrics and where the report is. */
  static void print(PrintWriter console, SaeEvaluationOutcome outcome) {
    console.printf(Locale.ROOT, "%-28s%12s%16s%n", "", "all", "without first");
    for (SaeMetric metric : PRINTED) {
      console.printf(
          Locale.ROOT,
          "%-28s%12s%16s  %s%n",
          metric.key(),
          shown(outcome.report().find(metric, TokenScope.ALL)),
          shown(outcome.report().find(metric, TokenScope.WITHOUT_FIRST)),
          metric.unit());
    }
    console.println("Report: " + outcome.page());
  }

  private static String shown(OptionalDouble value) {
    return value.isPresent() ? Numbers.brief(value.getAsDouble()) : "-";
  }
}
