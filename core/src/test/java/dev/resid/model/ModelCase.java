package dev.resid.model;

import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.model.Gpt2Config.ScoreScale;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A random small model and rows of tokens for it, from one seed that its name prints. {@code
 * -Dresid.seed=N} makes the cases N, N+1 and so on.
 */
public final class ModelCase {
  private static final long FIRST_SEED = Long.getLong("resid.seed", 41_000);

  private final long seed;
  private final SplittableRandom random;
  private final Gpt2Config config;
  private final Gpt2Weights weights;
  private final TokenBatch tokens;

  private ModelCase(long seed, SplittableRandom random, Gpt2Config config) {
    this.seed = seed;
    this.random = random;
    this.config = config;
    this.weights = randomWeights(random, config);
    this.tokens = randomTokens();
  }

  /** Returns cases of every activation, scaling and kind of embedding in turn. */
  static Stream<ModelCase> some(int count) {
    return LongStream.range(FIRST_SEED, FIRST_SEED + count).mapToObj(ModelCase::of);
  }

  /** Returns five cases, for tests whose argument is a case. */
  public static Stream<ModelCase> five() {
    return some(5);
  }

  /** Returns as many cases as it takes to see every activation and every scaling. */
  static Stream<ModelCase> everyKind() {
    return some(8);
  }

  /**
   * Returns cases of every kind so small that each weight can be varied: two blocks, a width of 2
   * to 6, up to 9 tokens.
   */
  public static Stream<ModelCase> tiny() {
    return LongStream.range(FIRST_SEED, FIRST_SEED + 8).mapToObj(ModelCase::tiny);
  }

  private static ModelCase tiny(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int heads = random.nextInt(1, 4);
    // A layer norm over two values gives plus and minus one and passes hardly any gradient.
    int width = heads * (heads == 1 ? random.nextInt(3, 6) : heads == 2 ? random.nextInt(2, 4) : 2);
    int[] sizes = {2, heads, width, random.nextInt(1, 9), random.nextInt(3, 10), 5};
    return new ModelCase(seed, random, config(seed, sizes));
  }

  /** Returns the case of a seed. */
  public static ModelCase of(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int[] widths = {1, 3, 4, 5, 8, 17};
    int heads = random.nextInt(1, 4);
    int width = heads * widths[random.nextInt(heads == 1 ? 1 : 0, widths.length)];
    int hidden = random.nextInt(3) == 0 ? 4 * width : random.nextInt(1, 50);
    int[] sizes = {
      random.nextInt(2, 4), heads, width, hidden, random.nextInt(3, 60), random.nextInt(6, 14)
    };
    return new ModelCase(seed, random, config(seed, sizes));
  }

  /** Returns an architecture with an activation, a scaling and an embedding by the seed. */
  private static Gpt2Config config(long seed, int... sizes) {
    int kind = (int) Math.floorMod(seed - FIRST_SEED, 8L);
    return new Gpt2Config(
        sizes[0],
        sizes[1],
        sizes[2],
        sizes[3],
        sizes[4],
        sizes[5],
        activation(kind),
        kind == 5 ? 1e-3 : 1e-5,
        ScoreScale.values()[kind % 4],
        kind < 4 ? Embeddings.TIED : Embeddings.UNTIED,
        OptionalInt.empty(),
        OptionalInt.empty());
  }

  /** Returns a case of a given architecture. */
  static ModelCase of(long seed, Gpt2Config config) {
    return new ModelCase(seed, new SplittableRandom(seed), config);
  }

  private static Activation activation(int kind) {
    Activation[] all = Activation.values();
    return all[kind + 1 < all.length ? kind + 1 : 1]; // IDENTITY is not one a model can have
  }

  public long seed() {
    return seed;
  }

  public Gpt2Config config() {
    return config;
  }

  public Gpt2Weights weights() {
    return weights;
  }

  /** Returns one to four rows that differ in length, the first of at least two tokens. */
  public TokenBatch tokens() {
    return tokens;
  }

  /** Returns the model on a backend. */
  public Gpt2 on(Backend backend) {
    return Gpt2.of(weights, backend);
  }

  /** Returns a random number from {@code from} to {@code to}, both included. */
  public int between(int from, int to) {
    return random.nextInt(from, to + 1);
  }

  /** Returns normal draws. */
  Tensor noise(Shape shape, double deviation) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return Tensor.wrap(shape, values);
  }

  /** Returns one row of tokens. */
  public int[] row(int length) {
    return random.ints(length, 0, config.dVocab()).toArray();
  }

  private TokenBatch randomTokens() {
    int[][] rows = new int[random.nextInt(2, 5)][];
    for (int r = 0; r < rows.length; r++) {
      rows[r] =
          row(r == 0 ? random.nextInt(2, config.nCtx()) : random.nextInt(1, config.nCtx() + 1));
    }
    return TokenBatch.of(rows);
  }

  /** Returns weights of which none is 0 or 1 and whose activations are about 1. */
  private static Gpt2Weights randomWeights(SplittableRandom random, Gpt2Config config) {
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : Weight.all(config)) {
      if (weight.name() == WeightNames.W_U && config.embeddings() == Embeddings.TIED) {
        continue;
      }
      Shape shape = weight.name().shape(config);
      float[] values = new float[Math.toIntExact(shape.elements())];
      boolean gain = weight.lensName().endsWith(".w");
      double deviation =
          shape.has(Axis.D_VOCAB) || shape.rank() == 1
              ? 0.5
              : 1 / Math.sqrt(shape.dims().getFirst().size());
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) ((gain ? 1 : 0) + deviation * random.nextGaussian());
      }
      tensors.put(weight, Tensor.wrap(shape, values));
    }
    return Gpt2Weights.of(config, tensors);
  }

  @Override
  public String toString() {
    return "seed "
        + seed
        + ": "
        + config.nLayers()
        + " blocks, "
        + config.nHeads()
        + "x"
        + config.dHead()
        + ", mlp "
        + config.dMlp()
        + " "
        + config.activation()
        + ", vocabulary "
        + config.dVocab()
        + " "
        + config.embeddings()
        + ", scores "
        + config.scores()
        + ", rows "
        + java.util.Arrays.toString(tokens.lengths());
  }
}
