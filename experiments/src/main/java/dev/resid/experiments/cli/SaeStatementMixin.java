package dev.resid.experiments.cli;

import dev.resid.hook.HookPoint;
import dev.resid.model.WeightsState;
import dev.resid.sae.io.Stated;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options {@code --at} and {@code --weights}: what the files of an SAE may not state. */
final class SaeStatementMixin {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee;

  @Option(
      names = "--at",
      paramLabel = "POINT",
      description = "The activation the SAE reads, where its files do not state it.")
  private String point;

  @Option(
      names = "--weights",
      paramLabel = "STATE",
      description =
          "raw or transformerlens: the model's weights the SAE was trained on, where neither its"
              + " files nor the catalogue state it.")
  private ModelOptionsMixin.Weights weights;

  /** Called by picocli. */
  SaeStatementMixin() {}

  /**
   * Returns what was stated.
   *
   * @throws ParameterException if there is no such activation
   */
  Stated stated() {
    Stated stated = Stated.nothing();
    if (point != null) {
      try {
        stated = stated.at(HookPoint.parse(point));
      } catch (IllegalArgumentException e) {
        throw new ParameterException(mixee.commandLine(), "--at: " + e.getMessage(), e);
      }
    }
    if (weights == null) {
      return stated;
    }
    return stated.on(
        switch (weights) {
          case RAW -> WeightsState.RAW;
          case TRANSFORMERLENS -> WeightsState.TRANSFORMER_LENS;
        });
  }
}
