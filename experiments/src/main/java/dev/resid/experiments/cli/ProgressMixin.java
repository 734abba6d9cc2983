package dev.resid.experiments.cli;

import dev.resid.progress.Progress;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The option {@code --quiet}, and the progress shown without it. */
final class ProgressMixin {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee;

  @Option(
      names = {"-q", "--quiet"},
      description = "Show no progress.")
  private boolean quiet;

  /** Called by picocli. */
  ProgressMixin() {}

  /** Returns whether nothing but results and errors is to be said. */
  boolean quiet() {
    return quiet;
  }

  /**
   * Returns where a computation reports to: a bar where standard error is a terminal, else a line
   * every few seconds, and nothing with {@code --quiet}.
   */
  Progress progress() {
    if (quiet) {
      return Progress.none();
    }
    return Terminal.onStandardError()
        ? new BarProgress(System.err, Terminal.columns())
        : new LineProgress(mixee.commandLine().getErr(), System::nanoTime);
  }
}
