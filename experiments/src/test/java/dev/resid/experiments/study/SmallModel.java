package dev.resid.experiments.study;

import dev.resid.experiments.testing.StudyRuns;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Backend;

/** The {@link TinyModel} on two threads, and rows of tokens for it. */
public final class SmallModel {
  /** Its architecture. */
  public static final Gpt2Config CONFIG = TinyModel.CONFIG;

  private SmallModel() {}

  /** Returns a backend of two threads. */
  public static Backend backend() {
    return TinyModel.backend(2);
  }

  /** Returns the model on a backend. */
  public static Gpt2 on(Backend backend) {
    return TinyModel.on(backend);
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
    return StudyRuns.interruptedAfter(reports);
  }
}
