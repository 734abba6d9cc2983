///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS dev.resid:resid-core:0.1.0-SNAPSHOT
//COMPILE_OPTIONS --add-modules jdk.incubator.vector
//RUNTIME_OPTIONS --add-modules jdk.incubator.vector

import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.metric.TopTokens;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;

/** What the model would say next, block by block: jbang LogitLens.java "Once upon a" */
final class LogitLens {
  public static void main(String[] args) throws IOException {
    String text = args.length > 0 ? args[0] : "The captain looked at the sea and";
    try (Backend backend = Backends.fastest()) {
      Gpt2 gpt2 = Gpt2.embedded(backend);
      TokenBatch tokens = gpt2.tokenizer().encode(text);
      int last = tokens.length(0) - 1;
      try (var lens = dev.resid.analysis.LogitLens.of(gpt2, tokens)) {
        for (HookPoint point : lens.points()) {
          Tensor logits = lens.at(point).logits();
          var top = TopTokens.at(logits, 0, last, 3, gpt2.tokenizer());
          System.out.printf("%-26s", point.name());
          top.forEach(t -> System.out.printf(" %-12s", quoted(t.text())));
          System.out.println();
        }
      }
    }
  }

  /** A token can be the end of a line, which would break the table. */
  private static String quoted(String text) {
    return '"' + text.replace("\n", "\\n") + '"';
  }
}
