package dev.resid.experiments.cli;

import dev.resid.experiments.language.ClozeItem;
import dev.resid.experiments.language.ClozeOptions;
import dev.resid.experiments.language.ClozePrompt;
import dev.resid.experiments.language.ClozePrompt.TooLong;
import dev.resid.experiments.language.ClozeTask;
import dev.resid.experiments.language.FeatureEffectOptions;
import dev.resid.experiments.language.FeatureEffectStudy;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
      "command goes on where it was and ends in the same results.",
      "",
      "Examples:",
      "  resid language features",
      "  resid language features --task cbt --model models/gpt2 --weights transformerlens --data"
          + " FILE --limit 1000 --sae saes/blocks.6.hook_resid_pre"
    })
final class LanguageFeaturesCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private SaesMixin saes;
  @Mixin private BackendOptionsMixin backendOptions;
  @Mixin private ProgressMixin progress;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description = "lambada (the default) or cbt: which test the prompts are of.")
  private ClozeTask task = ClozeTask.LAMBADA;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description = "Items; the small set that ships with Resid if left out.")
  private Path data;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Only the first N items; all if left out.")
  private Integer limit;

  @Option(
      names = "--window",
      paramLabel = "N",
      description =
          "Positions before the final token at which features count; 32 for lambada and 128 for cbt"
              + " if left out.")
  private Integer window;

  @Option(
      names = "--too-long",
      paramLabel = "WHAT",
      description =
          "refuse (the default) or cut: what is done with contexts longer than the model's; cut"
              + " leaves out their beginning.")
  private TooLong tooLong = TooLong.REFUSE;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the resamples for intervals; ${DEFAULT-VALUE} if left out.")
  private long seed = 1;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder for the results; ${DEFAULT-VALUE} if left out.")
  private Path out = Path.of("language-features");

  /** Called by picocli. */
  LanguageFeaturesCommand() {}

  @Override
  public Integer call() throws IOException {
    requirePositive("--limit", limit);
    requirePositive("--window", window);
    try (Backend backend = backendOptions.open();
        Workers workers = new Workers(backendOptions.threads())) {
      Gpt2 gpt2 = model.load(backend);
      List<ClozeItem> items = data == null ? task.builtIn() : task.read(data);
      if (limit != null) {
        items = items.subList(0, Math.min(limit, items.size()));
      }
      List<ClozePrompt> prompts =
          ClozePrompt.of(
              items, gpt2.tokenizer(), BeginOfText.of(gpt2), gpt2.config().nCtx(), tooLong);
      ClozeOptions cloze =
          new ClozeOptions(
              task,
              prompts,
              saes.load(gpt2, List.of(), backend),
              data == null ? "items that ship with Resid" : data.getFileName().toString(),
              seed);
      int positions = window == null ? FeatureEffectOptions.windowOf(task) : window;
      FeatureEffectStudy study =
          new FeatureEffectStudy(gpt2, new FeatureEffectOptions(cloze, positions));
      if (!progress.quiet()) {
        spec.commandLine().getErr().println(study.plan() + ".");
      }
      StudyLines.print(spec.commandLine().getOut(), study.run(out, progress.progress(), workers));
    }
    return ResidCommand.OK;
  }

  private void requirePositive(String option, Integer value) {
    if (value != null && value < 1) {
      throw new ParameterException(
          spec.commandLine(), option + " is " + value + ", must be at least 1");
    }
  }
}
