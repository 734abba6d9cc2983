package dev.resid.experiments.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The option {@code --batch} of studies of rows. */
final class BatchMixin {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Rows at a time; what fits if left out. Results do not depend on it.")
  private Integer batch;

  /** Called by picocli. */
  BatchMixin() {}

  /**
   * Checks the option, before anything is loaded.
   *
   * @throws ParameterException if fewer than 1 are asked for
   */
  void require() {
    new Usage(mixee).requireAtLeast("--batch", batch, 1);
  }

  /** Returns the rows at a time; 0 for what fits. */
  int rows() {
    return batch == null ? 0 : batch;
  }
}
