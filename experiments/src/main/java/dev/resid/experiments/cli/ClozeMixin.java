package dev.resid.experiments.cli;

import dev.resid.experiments.language.ClozeItem;
import dev.resid.experiments.language.ClozeOptions;
import dev.resid.experiments.language.ClozePrompt;
import dev.resid.experiments.language.ClozePrompt.TooLong;
import dev.resid.experiments.language.ClozeTask;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of tests of predicting one word: model, SAEs and items. */
final class ClozeMixin {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee;

  @Mixin private ModelOptionsMixin model;
  @Mixin private SaesMixin saes;

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

  /** Called by picocli. */
  ClozeMixin() {}

  /**
   * Refuses options that are out of range.
   *
   * @throws ParameterException if one is
   */
  void require() {
    if (limit != null && limit < 1) {
      throw new ParameterException(
          mixee.commandLine(), "--limit is " + limit + ", must be at least 1");
    }
  }

  /** Loads the model. */
  Gpt2 model(Backend backend) throws IOException {
    return model.load(backend);
  }

  /**
   * Returns what is measured.
   *
   * @param task which test
   * @param gpt2 the model
   * @throws IOException if a file cannot be read
   */
  ClozeOptions options(ClozeTask task, Gpt2 gpt2) throws IOException {
    List<ClozeItem> items = data == null ? task.builtIn() : task.read(data);
    if (limit != null) {
      items = items.subList(0, Math.min(limit, items.size()));
    }
    return new ClozeOptions(
        task,
        ClozePrompt.of(
            items,
            gpt2.tokenizer(),
            BeginOfText.of(gpt2, BeginOfText.STATE_IT),
            gpt2.config().nCtx(),
            tooLong),
        saes.load(gpt2, List.of(), gpt2.backend()),
        data == null ? "items that ship with Resid" : data.getFileName().toString(),
        seed);
  }
}
