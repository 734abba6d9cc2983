package dev.resid.experiments.examples;

import dev.resid.experiments.language.ClozeOptions;
import dev.resid.experiments.language.ClozePrompt;
import dev.resid.experiments.language.ClozePrompt.TooLong;
import dev.resid.experiments.language.ClozeStudy;
import dev.resid.experiments.language.ClozeTask;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The example of the section on one word in {@code docs/experiments.md}. */
final class ClozeExample {
  private ClozeExample() {}

  static StudyOutcome run(Backend backend, Path folder) throws IOException {
    // docs:begin
    Gpt2 gpt2 = Gpt2.embedded(backend);
    List<ClozePrompt> prompts =
        ClozePrompt.of(
            ClozeTask.LAMBADA.builtIn(),
            gpt2.tokenizer(),
            gpt2.beginOfText().getAsInt(),
            gpt2.config().nCtx(),
            TooLong.REFUSE);
    ClozeOptions options =
        new ClozeOptions(ClozeTask.LAMBADA, prompts.subList(0, 4), List.of(), "first four", 1);
    StudyOutcome outcome =
        new ClozeStudy(gpt2, options).run(folder, Progress.none(), new Workers(1));
    // docs:end
    return outcome;
  }
}
