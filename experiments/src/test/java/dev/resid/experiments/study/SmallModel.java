package dev.resid.experiments.study;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.progress.Progress;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;

/** A random model of three blocks with weights large enough that predictions differ. */
public final class SmallModel {
  /** Its architecture. */
  public static final Gpt2Config CONFIG = Gpt2Config.of(3, 2, 16, 50, 24);

  private SmallModel() {}

  /** Returns a backend of two threads. */
  public static Backend backend() {
    return Backends.named("vector", BackendOptions.defaults().withThreads(2));
  }

  /** Returns the model on a backend. */
  public static Gpt2 on(Backend backend) {
    Gpt2Weights initial = Gpt2Weights.random(CONFIG, 4);
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : Weight.all(CONFIG)) {
      boolean matrix = weight.name().name().startsWith("W_");
      if (weight.name() != WeightNames.W_U) {
        tensors.put(weight, initial.get(weight).times(matrix ? 12 : 1));
      }
    }
    return Gpt2.of(Gpt2Weights.of(CONFIG, tensors), backend);
  }

  /** Returns random tokens of which the first is 0. */
  public static int[] row(int length, long salt) {
    CounterRandom random = new CounterRandom(77);
    int[] ids = new int[length];
    for (int pos = 1; pos < length; pos++) {
      ids[pos] = random.below(CONFIG.dVocab(), salt, pos, 0);
    }
    return ids;
  }

  /** Returns progress that ends the process, as far as a test can, after some reports. */
  public static Progress stoppingAfter(int reports) {
    int[] left = {reports};
    return (name, unit, done, total) ->
        new Progress.Task() {
          @Override
          public void advanceTo(long value) {
            left[0]--;
            if (left[0] < 0) {
              throw new Stopped();
            }
          }

          @Override
          public void detail(String text) {
            // not looked at
          }

          @Override
          public void close() {
            // nothing is open
          }
        };
  }

  /** Thrown by {@link #stoppingAfter}. */
  public static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
