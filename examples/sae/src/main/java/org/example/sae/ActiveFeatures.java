package org.example.sae;

import static dev.resid.sae.SpliceMode.RECONSTRUCTION;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.sae.Splice;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;

/** What an SAE sees, and what its reconstruction costs, with resid-core and resid-sae. */
public final class ActiveFeatures {
  private ActiveFeatures() {}

  /** Prints how many features are active on a sentence, and the loss with and without the SAE. */
  public static void main(String[] args) throws IOException {
    try (Backend backend = Backends.fastest()) {
      Gpt2 gpt2 = Gpt2.embedded(backend);
      EmbeddedSaes saes = EmbeddedSaes.ofLibrary();
      Sae sae = saes.load("local-layer3-l0-30", backend);
      TokenBatch tokens =
          gpt2.tokenizer().encode("The captain looked at the sea and said nothing.");
      Tensor x = gpt2.capture(tokens, sae.hookPoint().capture()).get(sae.hookPoint());
      SparseFeatures features = sae.encode(x);
      double clean = gpt2.crossEntropyNats(tokens).mean();
      double spliced =
          gpt2.crossEntropyNats(tokens, Sae.hooks(gpt2, Splice.of(RECONSTRUCTION), sae)).mean();
      System.out.printf(
          "%s: %d SAEs ship; %d active features on %d tokens; loss %.3f, with the SAE %.3f%n",
          backend.name(), saes.names().size(), features.count(), features.rows(), clean, spliced);
    }
  }
}
