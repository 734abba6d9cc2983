package dev.resid.model;

/**
 * How the next token is chosen: logits are divided by the temperature, all but the {@code topK}
 * largest are dropped, then all but the smallest set of most probable tokens whose probabilities
 * reach {@code topP}, and one of the rest is drawn. Temperature 0 takes the most probable token,
 * the lowest id among equals.
 *
 * @param temperature at least 0
 * @param topK tokens to keep, at least 1; {@link Integer#MAX_VALUE} for all
 * @param topP probability to keep, above 0 and at most 1
 * @param seed of the draws: same seed, same text
 */
public record Sampling(double temperature, int topK, double topP, long seed) {
  /** Checks the ranges. */
  public Sampling {
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException(
          "temperature is " + temperature + ", must be a number of at least 0");
    }
    if (topK < 1) {
      throw new IllegalArgumentException("top-k is " + topK + ", must be at least 1");
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException("top-p is " + topP + ", must be above 0 and at most 1");
    }
  }

  /** Returns the choice of the most probable token. */
  public static Sampling greedy() {
    return new Sampling(0, Integer.MAX_VALUE, 1, 0);
  }

  /** Returns draws at a temperature from all tokens. */
  public static Sampling temperature(double temperature, long seed) {
    return new Sampling(temperature, Integer.MAX_VALUE, 1, seed);
  }

  /** Returns this sampling from the k most probable tokens. */
  public Sampling withTopK(int k) {
    return new Sampling(temperature, k, topP, seed);
  }

  /** Returns this sampling from the smallest set of tokens whose probabilities reach p. */
  public Sampling withTopP(double p) {
    return new Sampling(temperature, topK, p, seed);
  }
}
