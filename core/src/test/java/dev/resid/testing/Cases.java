package dev.resid.testing;

import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * Generates test inputs from a seed. Every comparison prints the seed; {@code -Dresid.seed=N}
 * repeats a failure or tries other inputs.
 */
public final class Cases {
  private static final long DEFAULT_SEED = 20250917;

  /** Kinds of values. */
  public enum Values {
    /** Normally distributed, about 1. */
    ORDINARY,
    /** Pairs of large neighbours that cancel up to a small rest. */
    CANCELLING,
    /** About 1e-20, some subnormal. */
    TINY,
    /** About 1e15, so that their squares can still be summed in float. */
    HUGE,
    /** All the same. */
    EQUAL,
    /** Everything above in turn, with zeros of both signs. */
    MIXED
  }

  private final long seed;
  private final SplittableRandom random;

  private Cases(long seed) {
    this.seed = seed;
    this.random = new SplittableRandom(seed);
  }

  /** Returns a generator with the seed of this run. */
  public static Cases ofThisRun() {
    return new Cases(Long.getLong("resid.seed", DEFAULT_SEED));
  }

  /** Returns the seed, for messages. */
  public long seed() {
    return seed;
  }

  /**
   * Returns a tensor of new values.
   *
   * @param shape its shape
   * @param kind what values
   */
  public Tensor tensor(Shape shape, Values kind) {
    return Tensor.wrap(shape, values(Math.toIntExact(shape.elements()), kind));
  }

  /**
   * Returns new values.
   *
   * @param n how many
   * @param kind what values
   */
  public float[] values(int n, Values kind) {
    float[] values = new float[n];
    float same = (float) random.nextGaussian();
    for (int i = 0; i < n; i++) {
      float normal = (float) random.nextGaussian();
      values[i] =
          switch (kind) {
            case ORDINARY -> normal;
            case CANCELLING -> i % 2 == 0 ? 3000 * normal : 0.01f * normal - values[i - 1];
            case TINY -> normal * (random.nextInt(4) == 0 ? 1e-40f : 1e-20f);
            case HUGE -> normal * 1e15f;
            case EQUAL -> same;
            case MIXED -> mixed(normal);
          };
    }
    return values;
  }

  private float mixed(float normal) {
    return switch (random.nextInt(6)) {
      case 0 -> 0f;
      case 1 -> -0f;
      case 2 -> normal * 1e-30f;
      case 3 -> normal * 1e6f;
      default -> normal;
    };
  }

  /**
   * Returns random indices.
   *
   * @param n how many
   * @param bound each is from 0 to this, exclusive
   */
  public int[] indices(int n, int bound) {
    return random.ints(n, 0, bound).toArray();
  }

  /** Returns a random number from {@code from} to {@code to}, both included. */
  public int between(int from, int to) {
    return random.nextInt(from, to + 1);
  }
}
