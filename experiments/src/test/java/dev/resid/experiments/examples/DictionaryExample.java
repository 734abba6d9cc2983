package dev.resid.experiments.examples;

import dev.resid.experiments.dictionary.DictionaryOptions;
import dev.resid.experiments.dictionary.DictionaryStudy;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** The example of the section on dictionaries in {@code docs/experiments.md}. */
final class DictionaryExample {
  private DictionaryExample() {}

  static StudyOutcome run(Gpt2 gpt2, TokenBatch tokens, NamedSae a, NamedSae b, Path folder)
      throws IOException {
    // docs:begin
    DictionaryOptions options =
        new DictionaryOptions(
            tokens, // [row, pos]
            "my text",
            List.of(a, b), // SAEs of the model
            Set.of(DictionaryOptions.Part.DICTIONARIES), // or FEATURES, CONNECTIONS
            DictionaryOptions.DEFAULT_REMOVAL_ROWS,
            DictionaryOptions.DEFAULT_FEATURES,
            DictionaryOptions.Atoms.ALIVE,
            0, // no one-to-one partners
            DictionaryOptions.DEFAULT_SEED);
    try (Workers workers = new Workers(2)) {
      return new DictionaryStudy(gpt2, options).run(folder, Progress.none(), workers);
    }
    // docs:end
  }
}
