package dev.resid.experiments.testing;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.HashMap;
import java.util.Map;

/** A random model of three blocks with weights large enough that predictions differ. */
public final class TinyModel {
  public static final Gpt2Config CONFIG = Gpt2Config.of(3, 2, 16, 50, 24);

  private TinyModel() {}

  public static Backend backend(int threads) {
    return Backends.named("vector", BackendOptions.defaults().withThreads(threads));
  }

  public static Gpt2 on(Backend backend) {
    return on(backend, CONFIG);
  }

  /** As {@link #on(Backend)} with another configuration, for example of more positions. */
  public static Gpt2 on(Backend backend, Gpt2Config config) {
    Gpt2Weights initial = Gpt2Weights.random(config, 4);
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : Weight.all(config)) {
      boolean matrix = weight.name().name().startsWith("W_");
      if (weight.name() != WeightNames.W_U) {
        tensors.put(weight, initial.get(weight).times(matrix ? 12 : 1));
      }
    }
    return Gpt2.of(Gpt2Weights.of(config, tensors), backend);
  }

  /** Rows of random tokens, all beginning with token 0. */
  public static TokenBatch tokens(int... lengths) {
    CounterRandom random = new CounterRandom(77);
    int[][] rows = new int[lengths.length][];
    for (int row = 0; row < rows.length; row++) {
      rows[row] = new int[lengths[row]];
      for (int pos = 1; pos < lengths[row]; pos++) {
        rows[row][pos] = random.below(CONFIG.dVocab(), row, pos, 0);
      }
    }
    return TokenBatch.of(rows);
  }

  /** Rows of random tokens, all of one length. */
  public static TokenBatch prompts(int rows, int length) {
    CounterRandom random = new CounterRandom(78);
    int[][] ids = new int[rows][length];
    for (int row = 0; row < rows; row++) {
      for (int pos = 0; pos < length; pos++) {
        ids[row][pos] = random.below(CONFIG.dVocab(), row, pos, 0);
      }
    }
    return TokenBatch.of(ids);
  }
}
