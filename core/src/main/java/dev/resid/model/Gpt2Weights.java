package dev.resid.model;

import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;

/**
 * The weights of a GPT-2, read one at a time from wherever they are. Immutable; rewriting gives new
 * weights (see {@link WeightTransforms}).
 */
public final class Gpt2Weights {
  private final Gpt2Config config;
  private final WeightsState state;
  private final WeightSource source;

  Gpt2Weights(Gpt2Config config, WeightsState state, WeightSource source) {
    this.config = config;
    this.state = state;
    this.source = source;
  }

  /**
   * Returns weights held in memory.
   *
   * @param config the architecture
   * @param tensors every weight of {@link Weight#all}, except that {@code W_U} must be absent when
   *     the embeddings are tied and {@code b_U} may be absent, meaning 0
   * @throws ShapeMismatchException if a weight has another shape than its table row says
   * @throws IllegalArgumentException if a weight is missing or superfluous
   */
  public static Gpt2Weights of(Gpt2Config config, Map<Weight, Tensor> tensors) {
    Map<Weight, Tensor> held = new HashMap<>(tensors);
    boolean tied = config.embeddings() == Embeddings.TIED;
    if (tied && held.containsKey(Weight.of(WeightNames.W_U))) {
      throw new IllegalArgumentException("the embeddings are tied, so W_U must not be given");
    }
    if (tied && held.containsKey(Weight.of(WeightNames.W_E))) {
      held.put(Weight.of(WeightNames.W_U), held.get(Weight.of(WeightNames.W_E)));
    }
    held.computeIfAbsent(Weight.of(WeightNames.b_U), w -> Tensor.zeros(w.name().shape(config)));
    for (Weight weight : Weight.all(config)) {
      Tensor tensor = held.get(weight);
      if (tensor == null) {
        throw new IllegalArgumentException("weight " + weight + " is missing");
      }
      if (!tensor.shape().equals(weight.name().shape(config))) {
        throw new ShapeMismatchException(
            "weight "
                + weight
                + " is "
                + tensor.shape()
                + ", expected "
                + weight.name().shape(config));
      }
    }
    if (held.size() != Weight.all(config).size()) {
      throw new IllegalArgumentException(
          "weights of another architecture: "
              + held.size()
              + " given, "
              + Weight.all(config).size()
              + " expected");
    }
    Map<Weight, Tensor> fixed = Map.copyOf(held);
    return new Gpt2Weights(config, WeightsState.RAW, fixed::get);
  }

  /**
   * Returns freshly initialised weights: normal with deviation 0.02, the projections onto the
   * residual stream divided by √(2·n_layers), W_pos with deviation 0.01, gains 1, biases and
   * offsets 0.
   *
   * @param config the architecture
   * @param seed same seed, same weights
   * @source Radford et al. 2019, section 2.3 (scaling of residual layers); deviations as in
   *     OpenAI's released model code
   */
  public static Gpt2Weights random(Gpt2Config config, long seed) {
    Map<Weight, Tensor> tensors = new HashMap<>();
    int stream = 0;
    for (Weight weight : Weight.all(config)) {
      stream++;
      if (weight.name() == WeightNames.W_U && config.embeddings() == Embeddings.TIED) {
        continue;
      }
      float[] values = new float[Math.toIntExact(weight.name().shape(config).elements())];
      double deviation = initialDeviation(weight.name(), config);
      if (deviation > 0) {
        CounterRandom random = new CounterRandom(seed);
        random.fillNormal(stream, 0, values);
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) (values[i] * deviation);
        }
      } else if (isGain(weight.name())) {
        java.util.Arrays.fill(values, 1);
      }
      tensors.put(weight, Tensor.wrap(weight.name().shape(config), values));
    }
    return of(config, tensors);
  }

  /** Returns the architecture. */
  public Gpt2Config config() {
    return config;
  }

  /** Returns which rewritings these weights have gone through. */
  public WeightsState state() {
    return state;
  }

  /**
   * Returns a weight in the shape of its table row. The tensor may be a view of a mapped file.
   *
   * @throws IllegalArgumentException if the model has no such layer
   */
  public Tensor get(Weight weight) {
    if (weight.layer() >= config.nLayers()) {
      throw new IllegalArgumentException(
          "there is no layer " + weight.layer() + ", the model has " + config.nLayers());
    }
    return source.get(weight);
  }

  /**
   * Returns a weight in TransformerLens's shape: attention weights split by head, W_U as [d_model,
   * d_vocab].
   */
  public Tensor lens(Weight weight) {
    Tensor tensor = get(weight);
    return switch (weight.name()) {
      case W_Q, W_K, W_V -> splitColumns(tensor, weight);
      case W_U -> transposed(tensor, weight.name().lensShape(config));
      default -> Tensor.of(weight.name().lensShape(config), tensor.toArray());
    };
  }

  /**
   * Returns these weights with other values of one: an edited model, with {@link
   * Gpt2#of(Gpt2Weights, dev.resid.tokenizer.ByteLevelBpe, dev.resid.tensor.Backend)}.
   *
   * @param weight which; in a model with tied embeddings W_E, whose edit is also W_U's
   * @param values in the shape that {@link #get} has, or in that of {@link #lens}
   * @throws ShapeMismatchException if they have neither
   * @throws IllegalArgumentException if the model has no such layer, or W_U is tied to W_E
   */
  public Gpt2Weights with(Weight weight, Tensor values) {
    Weight unembedding = Weight.of(WeightNames.W_U);
    boolean tied = config.embeddings() == Embeddings.TIED;
    if (tied && weight.equals(unembedding)) {
      throw new IllegalArgumentException("the embeddings are tied: W_U is edited as W_E");
    }
    get(weight); // refuses a layer that the model has not
    Tensor edited = stored(weight, values);
    boolean both = tied && weight.equals(Weight.of(WeightNames.W_E));
    return new Gpt2Weights(
        config,
        state,
        asked ->
            asked.equals(weight) || both && asked.equals(unembedding) ? edited : source.get(asked));
  }

  /** Returns values in the shape of the table. */
  private Tensor stored(Weight weight, Tensor values) {
    Shape shape = weight.name().shape(config);
    Shape lens = weight.name().lensShape(config);
    if (values.shape().equals(shape)) {
      return values;
    }
    if (!values.shape().equals(lens)) {
      throw new ShapeMismatchException(
          "weight " + weight + " is " + values.shape() + ", expected " + shape + " or " + lens);
    }
    return switch (weight.name()) {
      case W_Q, W_K, W_V -> joinedColumns(values, shape);
      case W_U -> transposed(values, shape);
      default -> values.reshape(shape);
    };
  }

  private Tensor splitColumns(Tensor tensor, Weight weight) {
    int d = config.dModel();
    int width = config.dHead();
    float[] from = tensor.toArray();
    float[] to = new float[from.length];
    for (int h = 0; h < config.nHeads(); h++) {
      for (int i = 0; i < d; i++) {
        System.arraycopy(from, i * d + h * width, to, (h * d + i) * width, width);
      }
    }
    return Tensor.wrap(weight.name().lensShape(config), to);
  }

  private Tensor joinedColumns(Tensor tensor, Shape shape) {
    int d = config.dModel();
    int width = config.dHead();
    float[] from = tensor.toArray();
    float[] to = new float[from.length];
    for (int h = 0; h < config.nHeads(); h++) {
      for (int i = 0; i < d; i++) {
        System.arraycopy(from, (h * d + i) * width, to, i * d + h * width, width);
      }
    }
    return Tensor.wrap(shape, to);
  }

  /** Returns a matrix with its axes the other way round, which is the shape given. */
  private static Tensor transposed(Tensor tensor, Shape shape) {
    int columns = tensor.shape().last();
    int rows = Math.toIntExact(tensor.shape().rows());
    float[] from = tensor.toArray();
    float[] to = new float[from.length];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        to[c * rows + r] = from[r * columns + c];
      }
    }
    return Tensor.wrap(shape, to);
  }

  private static boolean isGain(WeightNames name) {
    return switch (name) {
      case ln1_gamma, ln2_gamma, lnFinal_gamma -> true;
      default -> false;
    };
  }

  private static double initialDeviation(WeightNames name, Gpt2Config config) {
    return switch (name) {
      case W_E, W_U, W_Q, W_K, W_V, W_in -> 0.02;
      case W_pos -> 0.01;
      case W_O, W_out -> 0.02 / Math.sqrt(2.0 * config.nLayers());
      default -> 0;
    };
  }
}
