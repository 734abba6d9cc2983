package dev.resid.experiments.examples;

import static dev.resid.hook.HookPoint.residPost;
import static dev.resid.hook.HookPoint.residPre;

import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.Direction;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What docs/experiments.md shows for sensitive directions. */
final class SensitivityExample {
  private SensitivityExample() {}

  static List<String> run(Backend backend) throws IOException {
    // docs:begin
    Gpt2 gpt2 = Gpt2.embedded(backend);
    TokenBatch tokens = gpt2.tokenizer().encode("The captain looked at the sea and said nothing.");
    Sae sae = EmbeddedSaes.ofLibrary().load("e2e-layer3-l0-23", backend);
    Direction error = Direction.saeError(new NamedSae("mine", "e2e", "", sae));
    List<String> lines = new ArrayList<>();
    try (BaseRun base = gpt2.baseRun(tokens, residPre(3));
        Workers workers = new Workers(1)) {
      Tensor unit = error.draw(23, BasePoints.of(base.activation()), workers); // [1, pos, d_model]
      for (double alpha : new double[] {1, 5, 25}) {
        Continuation moved = base.continueWith(base.activation().plus(unit.times(alpha)));
        lines.add(
            "%.0f: KL %.4f nats, L2 %.2f"
                .formatted(alpha, moved.meanKlNats(), moved.meanL2At(residPost(5))));
      }
    }
    return lines;
    // docs:end
  }
}
