package dev.resid.experiments.cli;

import dev.resid.experiments.language.ClozeTask;
import dev.resid.experiments.language.FeatureEffectOptions;
import dev.resid.experiments.language.FeatureEffectStudy;
import dev.resid.model.Gpt2;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid language features}. */
@Command(
    name = "features",
    description = {
      "Measure, feature by feature, what an SAE's reconstruction does to answers.",
      "Mean effect over the prompts in which a feature is active, and score, as tables and"
          + " histograms.",
      "Without options it runs the model, the SAEs and the passages that ship with Resid."
    },
    footer = {
      "",
      "The folder gets report.html, tables, figures and run.json. Stopped at any moment, the same",
      "command goes on where it was and ends in the same results. To split a run, give every",
      "machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid language features",
      "  resid language features --task cbt --model models/gpt2 --weights transformerlens \\",
      "    --data FILE --limit 1000 --sae saes/blocks.6.hook_resid_pre"
    })
final class LanguageFeaturesCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ClozeMixin cloze;
  @Mixin private StudyMixin run;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description = "lambada (the default) or cbt: which test the prompts are of.")
  private ClozeTask task = ClozeTask.LAMBADA;

  @Option(
      names = "--window",
      paramLabel = "N",
      description =
          "Positions before the final token at which features count; 32 for lambada and 128 for cbt"
              + " if left out.")
  private Integer window;

  /** Called by picocli. */
  LanguageFeaturesCommand() {}

  @Override
  public Integer call() throws IOException {
    cloze.require();
    if (window != null && window < 1) {
      throw new ParameterException(
          spec.commandLine(), "--window is " + window + ", must be at least 1");
    }
    return run.run(
        spec,
        "language-features",
        backend -> {
          Gpt2 gpt2 = cloze.model(backend);
          int positions = window == null ? FeatureEffectOptions.windowOf(task) : window;
          return new FeatureEffectStudy(
              gpt2, new FeatureEffectOptions(cloze.options(task, gpt2), positions));
        });
  }
}
