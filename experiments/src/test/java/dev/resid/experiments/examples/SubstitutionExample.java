package dev.resid.experiments.examples;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.substitution.SubstitutionOptions;
import dev.resid.experiments.substitution.SubstitutionStudy;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What docs/experiments.md shows for substitution. */
final class SubstitutionExample {
  private SubstitutionExample() {}

  static StudyOutcome run(Backend backend, Path folder) throws IOException {
    // docs:begin
    Gpt2 gpt2 = Gpt2.embedded(backend);
    TokenBatch tokens = gpt2.tokenizer().encode("The captain looked at the sea and said nothing.");
    Sae sae = EmbeddedSaes.ofLibrary().load("local-layer3-l0-30", backend);
    List<NamedSae> saes = List.of(new NamedSae("mine", "local", "", sae));
    SubstitutionStudy study =
        new SubstitutionStudy(gpt2, SubstitutionOptions.of(tokens, "one sentence", saes));
    try (Workers workers = new Workers(2)) {
      return study.run(folder, Progress.none(), workers);
    }
    // docs:end
  }
}
