package dev.resid.experiments.examples;

import dev.resid.experiments.language.ClozeOptions;
import dev.resid.experiments.language.FeatureEffectOptions;
import dev.resid.experiments.language.FeatureEffectStudy;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Path;

/** The example of the section on features on these tests in {@code docs/experiments.md}. */
final class FeatureEffectExample {
  private FeatureEffectExample() {}

  static StudyOutcome run(Gpt2 gpt2, ClozeOptions prompts, Path folder) throws IOException {
    // docs:begin
    FeatureEffectOptions options =
        new FeatureEffectOptions(
            prompts, // as in the section before, with SAEs
            32); // positions of the window
    try (Workers workers = new Workers(2)) {
      return new FeatureEffectStudy(gpt2, options).run(folder, Progress.none(), workers);
    }
    // docs:end
  }
}
