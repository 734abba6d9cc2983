package org.example.all;

import static dev.resid.hook.HookPoint.residPre;

import dev.resid.backend.Backends;
import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.Covariance;
import dev.resid.experiments.direction.Direction;
import dev.resid.experiments.direction.Gaussian;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.model.BaseRun;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Sensitive directions on a few rows of the text that ships, with resid-experiments. */
public final class SmallStudy {
  private SmallStudy() {}

  /** Writes a table into the folder that is named. */
  public static void main(String[] args) throws IOException {
    try (Backend backend = Backends.fastest();
        Workers workers = new Workers(1);
        Documents text = Documents.embedded()) {
      Gpt2 gpt2 = Gpt2.embedded(backend);
      int bos = gpt2.beginOfText().orElseThrow();
      TokenBatch tokens = RowPacker.pack(text, gpt2.tokenizer(), bos, 24, 2);
      Sae sae = EmbeddedSaes.ofLibrary().load("local-layer3-l0-30", backend);
      try (BaseRun base = gpt2.baseRun(tokens, residPre(3))) {
        Tensor x = base.activation();
        Covariance covariance = new Covariance(gpt2.config().dModel());
        covariance.add(x.toArray(), 0, tokens.tokenCount(), workers);
        ResultTable table =
            new ResultTable(
                List.of(
                    new Column("direction", Type.TEXT, "What x is moved along."),
                    new Column("kl_nats", Type.NUMBER, "Mean KL at length 16.")));
        for (Direction direction :
            List.of(
                Direction.isotropic(),
                Direction.covRandomMixture(Gaussian.of(covariance, 0.01)),
                Direction.saeError(new NamedSae("ours", "local", "", sae)))) {
          Tensor unit = direction.draw(1, BasePoints.of(x), workers);
          double kl = base.continueWith(x.plus(unit.times(16))).meanKlNats();
          table.add(direction.name(), kl);
        }
        table.write(Path.of(args[0]), "small");
      }
      System.out.println(backend.name() + " wrote small.csv");
    }
  }
}
