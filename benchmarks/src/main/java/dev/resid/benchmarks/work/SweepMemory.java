package dev.resid.benchmarks.work;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.experiments.direction.DirectionKind;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.sensitivity.Lengths;
import dev.resid.experiments.sensitivity.SensitivityOptions;
import dev.resid.experiments.sensitivity.SensitivityStudy;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Runs a sensitivity study and prints its memory: what {@link MemoryWork} starts in a new JVM. */
final class SweepMemory {
  private static final Gpt2Config MODEL = Gpt2Config.of(2, 2, 32, 512, 16);
  private static final int ROW_LENGTH = 8;
  private static final int LOOKS = 8;

  /** Continuations of a row. */
  static final int PER_ROW = 3;

  private SweepMemory() {}

  /**
   * Prints how many continuations were made, the bytes of the heap that are in use after a
   * collection, at the most of eight moments of the sweep, and the peak memory of the process or
   * −1.
   *
   * @param args rows, a folder for the run, and threads
   * @throws IOException if the folder cannot be written
   */
  public static void main(String[] args) throws IOException {
    int rows = Integer.parseInt(args[0]);
    int threads = Integer.parseInt(args[2]);
    SensitivityOptions options =
        new SensitivityOptions(
            GeneratedModel.tokens(MODEL, rows, ROW_LENGTH),
            "random tokens",
            1,
            new Lengths.Given(1, 2, 4),
            List.of(new SweptDirection.Baseline(DirectionKind.ISOTROPIC)),
            List.of(),
            SensitivityOptions.DEFAULT_SEED,
            1000,
            SensitivityOptions.DEFAULT_RIDGE,
            0);
    Live live = new Live();
    try (Backend backend = Backends.fastest(BackendOptions.defaults().withThreads(threads));
        Workers workers = new Workers(threads)) {
      Gpt2 gpt2 = Gpt2.of(GeneratedModel.weights(MODEL), backend);
      new SensitivityStudy(gpt2, options).run(Path.of(args[1]), live, workers);
    }
    System.out.println("done " + live.done);
    System.out.println("live " + live.most);
    System.out.println("peak " + Jvm.peakBytes().orElse(-1));
  }

  /** Looks at the heap now and then. */
  private static final class Live implements Progress {
    private long most;
    private long done;

    @Override
    public Task begin(String name, String unit, long done, long total) {
      long every = Math.max(1, total / LOOKS);
      return new Task() {
        private long next = every;

        @Override
        public void advanceTo(long count) {
          Live.this.done = count;
          if (count >= next) {
            next = count + every;
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            most = Math.max(most, runtime.totalMemory() - runtime.freeMemory());
          }
        }

        @Override
        public void detail(String text) {}

        @Override
        public void close() {}
      };
    }
  }
}
