package dev.resid.benchmarks.table;

import static dev.resid.benchmarks.work.GeneratedModel.EMBEDDED;
import static dev.resid.benchmarks.work.GeneratedModel.GPT2_SMALL;
import static dev.resid.benchmarks.work.GeneratedModel.TINY;

import dev.resid.benchmarks.work.DecodeWork;
import dev.resid.benchmarks.work.ForwardWork;
import dev.resid.benchmarks.work.GeneratedModel;
import dev.resid.benchmarks.work.LastPositionWork;
import dev.resid.benchmarks.work.LoadWork;
import dev.resid.benchmarks.work.MemoryWork;
import dev.resid.benchmarks.work.ProductWork;
import dev.resid.benchmarks.work.SaeWork;
import dev.resid.benchmarks.work.SweepWork;
import dev.resid.benchmarks.work.TrainingWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.sae.Architecture;
import dev.resid.tensor.Backend;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** The parts of the table, each run in a JVM of its own. */
enum Group {
  /** Many rows. */
  PRODUCT("Matrix products, 2,048 rows", "at least 0.88 of the FMA peak") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      int[][] shapes = {
        {768, 768}, {768, 2304}, {768, 3072}, {3072, 768}, {768, 24576}, {768, 50257}
      };
      for (int[] shape : on.tiny() ? new int[][] {{48, 64}} : shapes) {
        int rows = on.tiny() ? 20 : 2048;
        each.accept(ProductWork.manyRows(rows, shape[0], shape[1], on.backend()));
      }
    }

    @Override
    double floor() {
      return 0.55;
    }
  },

  /** Few rows. */
  FEW_ROWS(
      "Matrix products of few rows, weights from memory", "at least 0.90 of reading at 1 row") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      int[][] shapes = {
        {1, 768, 768},
        {1, 768, 2304},
        {1, 768, 3072},
        {1, 3072, 768},
        {1, 768, 50257},
        {2, 768, 3072},
        {4, 768, 3072},
        {8, 768, 3072},
        {16, 768, 3072}
      };
      for (int[] shape : on.tiny() ? new int[][] {{1, 48, 64}} : shapes) {
        each.accept(
            ProductWork.fewRows(shape[0], shape[1], shape[2], bytesRead(on.tiny()), on.backend()));
      }
    }

    @Override
    long bytesRead(boolean tiny) {
      return tiny ? 1 << 20 : 1 << 30;
    }
  },

  /** Forward passes. */
  FORWARD("Forward pass of GPT-2 small, all logits", "at least 1.12 times the fastest peer") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      Gpt2Weights weights = on.weights();
      int[][] sizes = {{16, 128}, {1, 1024}, {1, 128}};
      for (int[] size : on.tiny() ? new int[][] {{2, 16}} : sizes) {
        each.accept(new ForwardWork(weights, size[0], size[1], on.backend()));
      }
    }
  },

  /** A length of a sweep. */
  SWEEP(
      "One perturbation length of a sweep, KL and L2 at every position",
      "at least 0.82 of the FMA peak, 1.15 times the fastest peer") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      each.accept(
          on.tiny()
              ? new SweepWork(on.weights(), 2, 16, 1, on.backend())
              : new SweepWork(on.weights(), 16, 128, 6, on.backend()));
    }
  },

  /** Steps at the last position. */
  LAST_POSITION("Steps at the last position", "at least 8 times the naive way") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      each.accept(new LastPositionWork(on.weights(), 4, 10, on.tiny() ? 10 : 100, 1, on.backend()));
    }
  },

  /** One stream. */
  DECODE("Decoding one stream with cached keys and values", "at least 0.90 of reading") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      int prompt = on.tiny() ? 8 : 128;
      each.accept(new DecodeWork(on.weights(), prompt, 32, on.backend()));
    }

    @Override
    long bytesRead(boolean tiny) {
      return tiny ? 1 << 20 : GPT2_SMALL.parameters() * Float.BYTES;
    }
  },

  /** SAEs. */
  SAE(
      "SAE, encoding and decoding; the amount is the encoder's product",
      "at most 0.55 of the time of the fastest peer") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      each.accept(
          on.tiny()
              ? new SaeWork(Architecture.RELU, 64, 48, 1000, on.backend())
              : new SaeWork(Architecture.RELU, 2048, 768, 24576, on.backend()));
    }
  },

  /** Training. */
  TRAINING(
      "Training, a step: forward, backward, AdamW; the amount is the products",
      "at least 0.75 of the FMA peak for the products, ahead of PyTorch") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      if (on.tiny()) {
        each.accept(new TrainingWork(TrainingWork.TINY, 2, 16, on.backend()));
      } else {
        each.accept(new TrainingWork(EMBEDDED, 8, 256, on.backend()));
        each.accept(new TrainingWork(GPT2_SMALL, 4, 128, on.backend()));
      }
    }
  },

  /** Starting. */
  LOAD(
      "Loading a safetensors file, JVM start included",
      "under 1.5 s, peak memory under 1.3 times the weights") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      each.accept(new LoadWork(on.weights(), on.threads()));
    }
  },

  /** Memory. */
  MEMORY("Memory of a sweep against its rows", "flat in the number of rows") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      for (int rows : on.tiny() ? new int[] {50} : new int[] {1000, 4000, 16000}) {
        each.accept(new MemoryWork(rows, on.threads()));
      }
    }

    @Override
    int repetitions(int asked) {
      return 1;
    }
  },

  /** Against rows, context, layers and width; not part of the whole table. */
  SCALING("How a forward pass scales with rows, context, layers and width", "proportional") {
    @Override
    void forEach(Setting on, Consumer<Workload> each) {
      int[][] modelAndTokens = {
        {12, 768, 1, 128}, {12, 768, 4, 128}, {12, 768, 16, 128}, {12, 768, 2, 1024},
        {6, 768, 16, 128}, {24, 768, 16, 128}, {12, 384, 16, 128}, {12, 1536, 16, 128}
      };
      for (int[] m : on.tiny() ? new int[][] {{2, 64, 1, 16}} : modelAndTokens) {
        int vocabulary = on.tiny() ? 300 : 8192;
        Gpt2Config config = Gpt2Config.of(m[0], m[1] / 64, m[1], vocabulary, 1024);
        each.accept(new ForwardWork(GeneratedModel.weights(config), m[2], m[3], on.backend()));
      }
    }

    @Override
    boolean inTable() {
      return false;
    }
  };

  private final String title;
  private final String target;

  Group(String title, String target) {
    this.title = title;
    this.target = target;
  }

  /**
   * What workloads are made for.
   *
   * @param backend computes
   * @param threads its threads
   * @param size how large they are
   */
  record Setting(Backend backend, int threads, Size size) {
    boolean tiny() {
      return size == Size.TINY;
    }

    Gpt2Weights weights() {
      return GeneratedModel.weights(tiny() ? TINY : GPT2_SMALL);
    }
  }

  /** How large the workloads are. */
  enum Size {
    /** Those of the table. */
    FULL,
    /** Those of a test, whose times mean nothing. */
    TINY
  }

  /** Makes the workloads one after the other; each is closed by the consumer. */
  abstract void forEach(Setting on, Consumer<Workload> each);

  /** Returns how many bytes the read bandwidth is measured on; 0 if nothing is related to it. */
  long bytesRead(boolean tiny) {
    return 0;
  }

  /** Returns how many rounds there are. */
  int repetitions(int asked) {
    return asked;
  }

  /** Returns the part of the limit below which the guard speaks up; NaN if it does not look. */
  double floor() {
    return Double.NaN;
  }

  /** Returns whether the whole table has it. */
  boolean inTable() {
    return true;
  }

  /** Returns what it measures. */
  String title() {
    return title;
  }

  /** Returns what is aimed at. */
  String target() {
    return target;
  }

  /** Returns its name on the command line. */
  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Returns the group of a name on the command line.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Group of(String word) {
    return Arrays.stream(values())
        .filter(group -> group.word().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no benchmark \"" + word + "\"; there are " + words()));
  }

  /** Returns the names of all groups. */
  static List<String> words() {
    return Arrays.stream(values()).map(Group::word).toList();
  }
}
