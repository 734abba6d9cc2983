package dev.resid.experiments.cli;

import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.study.RowRunner;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.Study;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/**
 * What commands of studies have in common: where they run, which part, where results go, and what
 * is printed.
 */
final class StudyMixin {
  @Mixin private BackendsMixin backends;
  @Mixin private ProgressMixin progress;
  @Mixin private ShardMixin shard;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Output folder; called as the command if left out.")
  private Path out;

  private final RowRunner runner;

  /**
   * Called by picocli.
   *
   * @param runner runs whole studies
   */
  StudyMixin(RowRunner runner) {
    this.runner = runner;
  }

  /** Makes a study from what the command line says. */
  @FunctionalInterface
  interface Preparation {
    /**
     * Returns the study.
     *
     * @param backend where it runs
     * @throws IOException if something cannot be read
     */
    Study study(Backend backend) throws IOException;
  }

  /**
   * Runs a study, or its part, and prints what was found and where it is.
   *
   * @param spec of the command
   * @param name of the output folder if none is given
   * @param preparation makes the study
   * @throws IOException if something cannot be read or written
   */
  int run(CommandSpec spec, String name, Preparation preparation) throws IOException {
    Path folder = out == null ? shard.folder(name) : out;
    RunFolder.requireUsable(folder);
    try (BackendsMixin.Opened opened = backends.open();
        Workers workers = new Workers(backends.threads());
        StopNotice _ = new StopNotice(spec.commandLine().getErr(), folder)) {
      List<Study> studies = new ArrayList<>();
      for (Backend backend : opened.all()) {
        studies.add(preparation.study(backend));
      }
      Study study = studies.getFirst();
      if (!progress.quiet()) {
        String estimate = study.estimate(shard.part());
        spec.commandLine().getErr().println(study.plan() + estimate + opened.words() + ".");
      }
      List<RowStudy<StudyOutcome>> rows = studies.stream().map(each -> each.rows(workers)).toList();
      shard
          .run(runner, rows, folder, progress.progress(), workers)
          .ifPresentOrElse(
              outcome -> StudyLines.print(spec.commandLine().getOut(), outcome),
              () -> {
                if (shard.isPart()) {
                  ShardMixin.print(spec.commandLine().getOut(), folder);
                }
              });
    }
    return ResidCommand.OK;
  }
}
