package dev.resid.experiments.cli;

import dev.resid.experiments.language.ClozeItem;
import dev.resid.experiments.language.ClozeOptions;
import dev.resid.experiments.language.ClozePrompt;
import dev.resid.experiments.language.ClozePrompt.TooLong;
import dev.resid.experiments.language.ClozeStudy;
import dev.resid.experiments.language.ClozeTask;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What the tests of predicting one word have in common. */
final class ClozeMixin {
  @Mixin private ModelOptionsMixin model;
  @Mixin private SaesMixin saes;
  @Mixin private BackendOptionsMixin backendOptions;
  @Mixin private ProgressMixin progress;

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
      description = "Folder for the results; language- and the command's name if left out.")
  private Path out;

  /** Called by picocli. */
  ClozeMixin() {}

  /** Runs a task and prints what was found. */
  int run(ClozeTask task, CommandSpec spec) throws IOException {
    if (limit != null && limit < 1) {
      throw new ParameterException(
          spec.commandLine(), "--limit is " + limit + ", must be at least 1");
    }
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
      ClozeStudy study =
          new ClozeStudy(
              gpt2,
              new ClozeOptions(
                  task,
                  prompts,
                  saes.load(gpt2, List.of(), backend),
                  data == null ? "items that ship with Resid" : data.getFileName().toString(),
                  seed));
      if (!progress.quiet()) {
        spec.commandLine().getErr().println(study.plan() + ".");
      }
      Path folder = out == null ? Path.of("language-" + task.word()) : out;
      StudyLines.print(
          spec.commandLine().getOut(), study.run(folder, progress.progress(), workers));
    }
    return ResidCommand.OK;
  }
}
