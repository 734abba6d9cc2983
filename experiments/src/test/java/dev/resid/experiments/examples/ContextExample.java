package dev.resid.experiments.examples;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.language.ContextOptions;
import dev.resid.experiments.language.ContextStudy;
import dev.resid.experiments.language.PositionRange;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The example of the section on positions in the context in {@code docs/experiments.md}. */
final class ContextExample {
  private ContextExample() {}

  static StudyOutcome run(Gpt2 gpt2, TokenBatch tokens, NamedSae sae, Path folder)
      throws IOException {
    // docs:begin
    ContextOptions options =
        new ContextOptions(
            tokens, // [row, pos], rows of one length
            List.of(sae), // SAEs of the model
            List.of(HookPoint.residPre(0)), // norms of these too
            List.of(new PositionRange(1, 1), new PositionRange(2, 4)),
            "my text",
            1); // seed of the resamples
    try (Workers workers = new Workers(2)) {
      return new ContextStudy(gpt2, options).run(folder, Progress.none(), workers);
    }
    // docs:end
  }
}
