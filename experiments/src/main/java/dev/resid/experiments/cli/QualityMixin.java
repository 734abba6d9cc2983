package dev.resid.experiments.cli;

import dev.resid.experiments.language.ClozeOptions;
import dev.resid.experiments.language.ClozeOptions.Quality;
import java.util.Arrays;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The option {@code --quality} of the tests of predicting one word. */
final class QualityMixin {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee;

  @Option(
      names = "--quality",
      paramLabel = "OF",
      description =
          "activation (the default) or reconstruction: what L0, L1, error, norm and ΔCE are"
              + " measured on. The published tables have the reconstruction, which their names do"
              + " not say.")
  private String quality = Quality.OF_ACTIVATION.word();

  /** Called by picocli. */
  QualityMixin() {}

  /**
   * Refuses a word that is none of the two.
   *
   * @throws ParameterException if it is
   */
  void require() {
    of();
  }

  private Quality of() {
    return Arrays.stream(Quality.values())
        .filter(one -> one.word().equals(quality))
        .findFirst()
        .orElseThrow(
            () ->
                new ParameterException(
                    mixee.commandLine(),
                    "--quality is \"" + quality + "\", must be activation or reconstruction"));
  }

  /** Returns the options with the quality that was asked for. */
  ClozeOptions in(ClozeOptions options) {
    return new ClozeOptions(
        options.task(), options.prompts(), options.saes(), options.data(), of(), options.seed());
  }
}
