package dev.resid.experiments.examples;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.language.ContextOptions;
import dev.resid.experiments.language.PropagationStudy;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The example of the section on error propagation in {@code docs/experiments.md}. */
final class PropagationExample {
  private PropagationExample() {}

  static StudyOutcome run(
      Gpt2 gpt2, TokenBatch tokens, NamedSae earlier, NamedSae later, Path folder)
      throws IOException {
    // docs:begin
    ContextOptions options =
        new ContextOptions(
            tokens, // [row, pos], rows of one length
            List.of(earlier, later), // SAEs of at least two points of the model
            "my text",
            1); // seed of the resamples
    try (Workers workers = new Workers(2)) {
      return new PropagationStudy(gpt2, options).run(folder, Progress.none(), workers);
    }
    // docs:end
  }
}
