package dev.resid.benchmarks.work;

import dev.resid.backend.Backends;
import dev.resid.model.Generator;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Sampling;
import dev.resid.tensor.Backend;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.function.IntConsumer;

/**
 * A token of one stream with cached keys and values: each reads every weight once. The prompt is
 * not timed; the seconds are a token's.
 */
public final class DecodeWork implements Workload {
  private static final int CHECKED_PROMPT = 4;
  private static final int CHECKED_TOKENS = 3;

  private final Gpt2Weights weights;
  private final int[] prompt;
  private final int count;
  private final Decoder ours;

  /**
   * Generates the prompt and packs the model.
   *
   * @param weights of the model
   * @param promptLength tokens before the first new one
   * @param count new tokens
   * @param backend computes
   */
  public DecodeWork(Gpt2Weights weights, int promptLength, int count, Backend backend) {
    this.weights = weights;
    this.prompt = GeneratedModel.tokens(weights.config(), 1, promptLength).row(0);
    this.count = count;
    Generator generator = Gpt2.of(weights, backend).generator(Sampling.greedy());
    this.ours =
        (from, tokens, listener) -> generator.generate(from, tokens, OptionalInt.empty(), listener);
  }

  @Override
  public String name() {
    return "a token of one stream after " + prompt.length;
  }

  @Override
  public Bound bound() {
    return Bound.READ;
  }

  @Override
  public double amount() {
    Gpt2Config config = weights.config();
    double multiplied =
        GeneratedModel.blockFlop(config, config.nLayers()) + GeneratedModel.unembeddingFlop(config);
    return multiplied / 2 * Float.BYTES;
  }

  /** Returns the weights. */
  public Gpt2Weights weights() {
    return weights;
  }

  @Override
  public Engine ours() {
    return engine("resid", ours);
  }

  /**
   * Returns the engine of a decoder.
   *
   * @param name in the table
   * @param decoder chooses tokens
   */
  public Engine engine(String name, Decoder decoder) {
    return new Decoding(name, decoder);
  }

  @Override
  public float[] expected() {
    try (Backend reference = Backends.named("scalar")) {
      Generator generator = Gpt2.of(weights, reference).generator(Sampling.greedy());
      return numbers(generator.generate(checkedPrompt(), CHECKED_TOKENS));
    }
  }

  @Override
  public double tolerance() {
    return 0;
  }

  // A short one: the reference is slow.
  private int[] checkedPrompt() {
    return Arrays.copyOf(prompt, Math.min(CHECKED_PROMPT, prompt.length));
  }

  private static float[] numbers(int[] tokens) {
    float[] numbers = new float[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      numbers[i] = tokens[i];
    }
    return numbers;
  }

  /** Continues a text by the most probable token, again and again. */
  @FunctionalInterface
  public interface Decoder extends AutoCloseable {
    /**
     * Returns the new tokens.
     *
     * @param from the text so far
     * @param tokens how many to add
     * @param listener told each token as soon as it is chosen
     */
    int[] decode(int[] from, int tokens, IntConsumer listener);

    /** Frees what it holds. */
    @Override
    default void close() {}
  }

  private final class Decoding implements Engine {
    private final String name;
    private final Decoder decoder;

    private Decoding(String name, Decoder decoder) {
      this.name = name;
      this.decoder = decoder;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public void run() {
      seconds();
    }

    @Override
    public double seconds() {
      long[] at = new long[count];
      int[] chosen = new int[1];
      decoder.decode(prompt, count, token -> at[chosen[0]++] = System.nanoTime());
      return (at[count - 1] - at[0]) / 1e9 / (count - 1);
    }

    @Override
    public float[] sample() {
      return numbers(decoder.decode(checkedPrompt(), CHECKED_TOKENS, token -> {}));
    }

    @Override
    public void close() {
      decoder.close();
    }
  }
}
