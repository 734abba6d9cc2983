package dev.resid.experiments.examples;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.plateau.PlateauOptions;
import dev.resid.experiments.plateau.PlateauSae;
import dev.resid.experiments.plateau.PlateauStudy;
import dev.resid.experiments.plateau.Regime;
import dev.resid.experiments.plateau.Scale;
import dev.resid.experiments.plateau.TargetKind;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What docs/experiments.md shows for plateaus. */
final class PlateauExample {
  private PlateauExample() {}

  static StudyOutcome run(Gpt2 gpt2, Sae sae, TokenBatch tokens, Path folder) throws IOException {
    // docs:begin
    PlateauOptions options =
        new PlateauOptions(
            tokens, // [row, pos], all of one length
            "my text",
            1, // resid_pre of this block
            20, // prompts that are moved
            List.of(TargetKind.MODEL_GENERATED, TargetKind.SYNTHETIC_BASELINE),
            List.of(), // starts of the second part
            PlateauOptions.RealBase.OWN,
            Optional.of(new PlateauSae(new NamedSae("mine", "", "", sae), Optional.empty())),
            List.of(Regime.RELATIVE),
            Scale.of(Scale.Rule.SCALED),
            PlateauOptions.DEFAULT_SEED,
            0); // as many prompts at a time as fit
    try (Workers workers = new Workers(2)) {
      return new PlateauStudy(gpt2, options).run(folder, Progress.none(), workers);
    }
    // docs:end
  }
}
