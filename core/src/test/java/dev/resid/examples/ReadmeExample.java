package dev.resid.examples;

import static dev.resid.hook.HookPoint.pattern;
import static dev.resid.hook.HookPoint.residPost;
import static dev.resid.hook.HookPoint.residPre;
import static dev.resid.hook.HookPoint.z;
import static dev.resid.tensor.Axis.HEAD;

import dev.resid.backend.Backends;
import dev.resid.hook.Intervention;
import dev.resid.metric.KlDivergence;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.io.PrintStream;

/** The example at the top of README.md: the lines between the two marks are printed there. */
final class ReadmeExample {
  private ReadmeExample() {}

  static void run(PrintStream out) throws IOException {
    // readme:begin
    try (Backend backend = Backends.fastest()) {
      Gpt2 gpt2 = Gpt2.embedded(backend); // or Gpt2.load(Path.of("models/gpt2"), backend)
      TokenBatch tokens = gpt2.tokenizer().encode("The captain looked at the sea and said");

      ForwardResult run = gpt2.forward(tokens, residPost(3).capture(), pattern(2).capture());
      Tensor resid = run.cache().get(residPost(3)); // [batch, pos, d_model]

      Intervention silence = (z, at) -> z.with(HEAD, 0, Tensor.zeros(z.shape().without(HEAD)));
      Tensor without = gpt2.forward(tokens, z(2).replace(silence)).logits();
      double[] kl = KlDivergence.nats(run.logits(), without); // a position, in nats

      try (BaseRun base = gpt2.baseRun(tokens, residPre(3))) { // the clean run, once
        Continuation after = base.continueWith(base.activation().plus(resid.times(0.1)));
        out.printf("KL %.4f, head 0 %.4f nats%n", after.meanKlNats(), kl[kl.length - 1]);
      }
    }
    // readme:end
  }
}
