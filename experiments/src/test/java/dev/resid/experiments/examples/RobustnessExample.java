package dev.resid.experiments.examples;

import dev.resid.experiments.robustness.RobustnessOptions;
import dev.resid.experiments.robustness.RobustnessStudy;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The example of the section on robustness in {@code docs/experiments.md}. */
final class RobustnessExample {
  private RobustnessExample() {}

  static StudyOutcome run(Backend backend, Path folder) throws IOException {
    // docs:begin
    Gpt2 gpt2 = Gpt2.embedded(backend);
    TokenBatch tokens =
        gpt2.tokenizer()
            .encode("She opened the door and went out.", "He looked at the sea for a long time.");
    RobustnessOptions options =
        new RobustnessOptions(
            tokens,
            "two sentences",
            List.of(HookPoint.mlpOut(0)),
            List.of(0.9, 0.0), // cosines
            List.of(0.9), // norms, as shares of the activation's
            List.of(), // SAEs
            RobustnessOptions.DEFAULT_SEED,
            0); // as many rows at a time as fit
    try (Workers workers = new Workers(2)) {
      return new RobustnessStudy(gpt2, options).run(folder, Progress.none(), workers);
    }
    // docs:end
  }
}
