package dev.resid.benchmarks.work;

import dev.resid.io.SafetensorsWriter;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** Weights, tokens and vectors that need no file: the same on every machine. */
public final class GeneratedModel {
  /** GPT-2 small. */
  public static final Gpt2Config GPT2_SMALL = Gpt2Config.of(12, 12, 768, 50257, 1024);

  /** As large as the model that ships with the library. */
  public static final Gpt2Config EMBEDDED = Gpt2Config.of(6, 6, 192, 4096, 256);

  /** For a moment's run: every shape is different and no multiple of a vector. */
  public static final Gpt2Config TINY = Gpt2Config.of(3, 3, 48, 257, 40);

  private static final long SEED = 20;
  private static final int CHUNK = 1 << 16;

  /** A uniform number of this half-width has a deviation of 0.02. */
  private static final double HALF_WIDTH = 0.02 * Math.sqrt(3);

  private GeneratedModel() {}

  /**
   * Returns the architecture of a name: {@code gpt2-small}, {@code embedded} or {@code tiny}.
   *
   * @throws IllegalArgumentException if the name is another
   */
  public static Gpt2Config config(String name) {
    return switch (name) {
      case "gpt2-small" -> GPT2_SMALL;
      case "embedded" -> EMBEDDED;
      case "tiny" -> TINY;
      default ->
          throw new IllegalArgumentException(
              "no model \"" + name + "\" is generated, only gpt2-small, embedded and tiny");
    };
  }

  /**
   * Returns weights with a deviation of 0.02, biases too, and gains around 1.
   *
   * @param config the architecture
   */
  public static Gpt2Weights weights(Gpt2Config config) {
    List<Weight> all = Weight.all(config);
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (int number = 0; number < all.size(); number++) {
      Weight weight = all.get(number);
      boolean absent =
          weight.name() == WeightNames.b_U
              || (weight.name() == WeightNames.W_U && config.embeddings() == Embeddings.TIED);
      if (!absent) {
        boolean gain =
            switch (weight.name()) {
              case ln1_gamma, ln2_gamma, lnFinal_gamma -> true;
              default -> false;
            };
        tensors.put(weight, uniform(weight.name().shape(config), number, HALF_WIDTH, gain ? 1 : 0));
      }
    }
    return Gpt2Weights.of(config, tensors);
  }

  /**
   * Writes a folder as published GPT-2 checkpoints are: config.json and model.safetensors, with
   * query, key and value in one tensor and no prefix before names.
   *
   * @param weights of the model
   * @param folder there already
   * @throws IOException if it cannot be written
   */
  public static void write(Gpt2Weights weights, Path folder) throws IOException {
    Gpt2Config config = weights.config();
    Files.writeString(
        folder.resolve("config.json"),
        String.format(
            Locale.ROOT,
            "{\"model_type\": \"gpt2\", \"n_layer\": %d, \"n_head\": %d, \"n_embd\": %d,"
                + " \"vocab_size\": %d, \"n_positions\": %d, \"n_ctx\": %d, \"layer_norm_epsilon\":"
                + " 1e-05, \"activation_function\": \"gelu_new\"}%n",
            config.nLayers(),
            config.nHeads(),
            config.dModel(),
            config.dVocab(),
            config.nCtx(),
            config.nCtx()));
    SafetensorsWriter writer = new SafetensorsWriter();
    for (Weight weight : Weight.all(config)) {
      WeightNames name = weight.name();
      boolean third = name.isFused() && name != WeightNames.W_Q && name != WeightNames.b_Q;
      if (name == WeightNames.W_U || name == WeightNames.b_U || third) {
        continue;
      }
      writer.add(weight.fileKey(), name.isFused() ? fused(weights, weight) : weights.get(weight));
    }
    writer.write(folder.resolve("model.safetensors"));
  }

  /** Returns query, key and value columns side by side, as the file keeps them. */
  private static Tensor fused(Gpt2Weights weights, Weight query) {
    boolean matrix = query.name() == WeightNames.W_Q;
    WeightNames[] names =
        matrix
            ? new WeightNames[] {WeightNames.W_Q, WeightNames.W_K, WeightNames.W_V}
            : new WeightNames[] {WeightNames.b_Q, WeightNames.b_K, WeightNames.b_V};
    int d = weights.config().dModel();
    int rows = matrix ? d : 1;
    float[] all = new float[3 * rows * d];
    for (int third = 0; third < 3; third++) {
      float[] part = weights.get(Weight.of(names[third], query.layer())).toArray();
      for (int r = 0; r < rows; r++) {
        System.arraycopy(part, r * d, all, (3 * r + third) * d, d);
      }
    }
    return Tensor.wrap(
        matrix ? Shape.of(Axis.D_MODEL, d, Axis.OUT, 3 * d) : Shape.of(Axis.OUT, 3 * d), all);
  }

  /**
   * Returns uniform numbers of a deviation.
   *
   * @param shape any
   * @param stream another number, other values
   * @param deviation of the numbers
   */
  public static Tensor values(Shape shape, int stream, double deviation) {
    return uniform(shape, 1000 + stream, deviation * Math.sqrt(3), 0);
  }

  /**
   * Returns one direction of unit length for every vector, of the shape given.
   *
   * @param shape [batch, pos, d_model]
   */
  public static Tensor directions(Shape shape) {
    float[] x = values(shape, 1, 1).toArray();
    int width = shape.size(Axis.D_MODEL);
    for (int from = 0; from < x.length; from += width) {
      double squares = 0;
      for (int i = from; i < from + width; i++) {
        squares += (double) x[i] * x[i];
      }
      double scale = 1 / Math.sqrt(squares);
      for (int i = from; i < from + width; i++) {
        x[i] = (float) (x[i] * scale);
      }
    }
    return Tensor.wrap(shape, x);
  }

  /**
   * Returns rows of random tokens.
   *
   * @param config gives the vocabulary
   * @param batch rows
   * @param pos tokens a row
   */
  public static TokenBatch tokens(Gpt2Config config, int batch, int pos) {
    CounterRandom random = new CounterRandom(SEED);
    int[][] rows = new int[batch][pos];
    for (int b = 0; b < batch; b++) {
      for (int t = 0; t < pos; t++) {
        rows[b][t] = random.below(config.dVocab(), b, 0, t);
      }
    }
    return TokenBatch.of(rows);
  }

  /**
   * Returns the multiply-adds of one token through the weight matrices of some blocks, times two.
   *
   * @param config the architecture
   * @param blocks how many
   */
  public static double blockFlop(Gpt2Config config, int blocks) {
    double d = config.dModel();
    return 2 * blocks * (4 * d * d + 2 * d * config.dMlp());
  }

  /**
   * Returns the multiply-adds of one token through the unembedding, times two.
   *
   * @param config the architecture
   */
  public static double unembeddingFlop(Gpt2Config config) {
    return 2.0 * config.dModel() * config.dVocab();
  }

  private static Tensor uniform(Shape shape, long stream, double halfWidth, double centre) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    CounterRandom random = new CounterRandom(SEED);
    IntStream.range(0, (values.length + CHUNK - 1) / CHUNK)
        .parallel()
        .forEach(
            chunk -> {
              int from = chunk * CHUNK;
              int to = Math.min(values.length, from + CHUNK);
              for (int i = from; i < to; i++) {
                double u = random.uniform(stream, chunk, i - from);
                values[i] = (float) (centre + halfWidth * (2 * u - 1));
              }
            });
    return Tensor.wrap(shape, values);
  }
}
