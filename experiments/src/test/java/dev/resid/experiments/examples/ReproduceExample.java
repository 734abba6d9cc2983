package dev.resid.experiments.examples;

import dev.resid.experiments.reproduce.GivenSaes;
import dev.resid.experiments.reproduce.Part;
import dev.resid.experiments.reproduce.PublishedTable;
import dev.resid.experiments.reproduce.ReproduceOptions;
import dev.resid.experiments.reproduce.ReproduceOutcome;
import dev.resid.experiments.reproduce.ReproduceStudy;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.io.SaeCatalogue;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The example of the section on published numbers in {@code docs/experiments.md}. */
final class ReproduceExample {
  private ReproduceExample() {}

  static ReproduceOutcome run(Backend backend, String numbers, Path folder) throws IOException {
    // docs:begin
    Gpt2 gpt2 = Gpt2.embedded(backend);
    PublishedTable table = PublishedTable.parse(numbers, "my table"); // or PublishedTable.load()
    GivenSaes saes = new GivenSaes(table, SaeCatalogue.load(), table.weights());
    ReproduceOptions options =
        new ReproduceOptions(
            table,
            saes.all(), // after saes.add("saes/blocks.6.hook_resid_pre")
            ReproduceOptions.Files.none(),
            List.of(Part.BOS),
            ReproduceOptions.DEFAULT_SHORT_ROWS,
            ReproduceOptions.DEFAULT_LONG_ROWS,
            gpt2.beginOfText().getAsInt());
    ReproduceOutcome outcome =
        new ReproduceStudy(gpt2, options).run(folder, Progress.none(), new Workers(1));
    // docs:end
    return outcome;
  }
}
