package org.example.heads;

import static dev.resid.hook.HookPoint.residPost;

import dev.resid.backend.Backends;
import dev.resid.metric.TopTokens;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;

/** Runs the model once and looks at it. */
final class FirstLook {
  private FirstLook() {}

  public static void main(String[] args) throws IOException {
    // docs:begin
    try (Backend backend = Backends.fastest()) {
      Gpt2 gpt2 = Gpt2.embedded(backend);
      TokenBatch tokens = gpt2.tokenizer().encode("The captain looked at the sea and said");

      ForwardResult run = gpt2.forward(tokens, residPost(3).capture());
      Tensor resid = run.cache().get(residPost(3));

      System.out.println(backend.description());
      System.out.println(resid.shape());
      int last = tokens.length(0) - 1;
      for (var next : TopTokens.at(run.logits(), 0, last, 5, gpt2.tokenizer())) {
        System.out.println(next);
      }
    }
    // docs:end
  }
}
