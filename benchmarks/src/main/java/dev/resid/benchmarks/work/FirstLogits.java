package dev.resid.benchmarks.work;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/** Loads a model and prints logits: what {@link LoadWork} starts in a new JVM. */
final class FirstLogits {
  /** Logits that are printed. */
  static final int PRINTED = 32;

  private FirstLogits() {}

  /**
   * Prints the first logits of the last position, then the peak memory in bytes or −1.
   *
   * @param args the folder of the model, threads, and token ids
   * @throws IOException if the model cannot be read
   */
  public static void main(String[] args) throws IOException {
    int[] ids = Arrays.stream(args).skip(2).mapToInt(Integer::parseInt).toArray();
    var options =
        dev.resid.backend.BackendOptions.defaults().withThreads(Integer.parseInt(args[1]));
    try (Backend backend = Backends.fastest(options)) {
      Gpt2 gpt2 = Gpt2.load(Path.of(args[0]), backend);
      Tensor logits = gpt2.forward(TokenBatch.of(ids)).logits();
      float[] last = logits.slice(Axis.POS, ids.length - 1, ids.length).toArray();
      StringBuilder line = new StringBuilder("logits");
      for (int i = 0; i < PRINTED; i++) {
        line.append(' ').append(last[i]);
      }
      System.out.println(line);
      System.out.println("peak " + Jvm.peakBytes().orElse(-1));
    }
  }
}
