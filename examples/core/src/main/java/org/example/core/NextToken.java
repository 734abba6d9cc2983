package org.example.core;

import dev.resid.backend.Availability.Unavailable;
import dev.resid.backend.Backends;
import dev.resid.metric.TopTokens;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;

/** What comes next, with nothing but resid-core. */
public final class NextToken {
  private NextToken() {}

  /** Prints the backend, why a faster one is not there, and the most likely next token. */
  public static void main(String[] args) throws IOException {
    Backends.available()
        .forEach(
            (name, availability) -> {
              if (availability instanceof Unavailable(String reason, String fix)) {
                System.out.println("no " + name + ": " + reason + ". " + fix);
              }
            });
    try (Backend backend = Backends.fastest()) {
      Gpt2 gpt2 = Gpt2.embedded(backend);
      TokenBatch tokens = gpt2.tokenizer().encode("Once upon a");
      int last = tokens.length(0) - 1;
      var next =
          TopTokens.at(gpt2.forward(tokens).logits(), 0, last, 1, gpt2.tokenizer()).getFirst();
      System.out.println(backend.name() + " says \"" + gpt2.tokenizer().text(next.id()) + "\"");
    }
  }
}
