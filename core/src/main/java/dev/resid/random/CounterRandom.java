package dev.resid.random;

/**
 * Counter-based random numbers: each draw is a pure function of (seed, stream, substream, index),
 * so it does not depend on the order of draws, the batch size or the number of threads.
 *
 * <p>The generator is Philox4x32 with ten rounds. Normal draws use Box and Muller's transform in
 * float64 with {@link StrictMath}, so that they are the same bits on every machine.
 *
 * @source Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
 *     section 3.3 and table 2
 */
public final class CounterRandom {
  private static final int M0 = 0xD2511F53;
  private static final int M1 = 0xCD9E8D57;
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;
  private static final int ROUNDS = 10;
  private static final double UNIT = 0x1p-53;

  private final int key0;
  private final int key1;

  /**
   * Creates a generator.
   *
   * @param seed any number
   */
  public CounterRandom(long seed) {
    this.key0 = (int) seed;
    this.key1 = (int) (seed >>> 32);
  }

  /**
   * Fills an array with standard normal draws 0 to n−1 of one key.
   *
   * @param stream first part of the key, for example the row
   * @param substream second part of the key, for example the position; below 2^31
   * @param target array to fill
   */
  public void fillNormal(long stream, int substream, float[] target) {
    fillNormal(stream, substream, target, 0, target.length);
  }

  /**
   * Fills a range of an array with standard normal draws 0 to n−1 of one key.
   *
   * @param stream first part of the key, for example the row
   * @param substream second part of the key, for example the position; below 2^31
   * @param target array to fill
   * @param offset index of draw 0
   * @param length number of draws n
   */
  public void fillNormal(long stream, int substream, float[] target, int offset, int length) {
    int[] block = new int[4];
    for (int i = 0; i < length; i += 2) {
      philox(stream, substream, i >>> 1, block);
      double u1 = 1.0 - uniform(block[0], block[1]);
      double angle = 2 * Math.PI * uniform(block[2], block[3]);
      double radius = StrictMath.sqrt(-2 * StrictMath.log(u1));
      target[offset + i] = (float) (radius * StrictMath.cos(angle));
      if (i + 1 < length) {
        target[offset + i + 1] = (float) (radius * StrictMath.sin(angle));
      }
    }
  }

  /**
   * Returns a uniform draw from [0, 1) with 53 random bits.
   *
   * @param stream first part of the key
   * @param substream second part of the key; below 2^31
   * @param index number of the draw
   */
  public double uniform(long stream, int substream, int index) {
    int[] block = new int[4];
    philox(stream, substream, index, block);
    return uniform(block[0], block[1]);
  }

  /**
   * Returns a uniform integer from 0 to bound−1, by ⌊u·bound⌋ with a 53-bit u.
   *
   * @param bound at least 1
   * @param stream first part of the key
   * @param substream second part of the key; below 2^31
   * @param index number of the draw
   */
  public int below(int bound, long stream, int substream, int index) {
    if (bound < 1) {
      throw new IllegalArgumentException("bound is " + bound + ", must be at least 1");
    }
    return (int) (uniform(stream, substream, index) * bound);
  }

  /**
   * Returns a random permutation of 0 to n−1, by Fisher and Yates's shuffle.
   *
   * @param n how many
   * @param stream first part of the key
   * @param substream second part of the key; below 2^31
   */
  public int[] permutation(int n, long stream, int substream) {
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    for (int i = n - 1; i > 0; i--) {
      int j = below(i + 1, stream, substream, i);
      int swap = order[i];
      order[i] = order[j];
      order[j] = swap;
    }
    return order;
  }

  private static double uniform(int high, int low) {
    long bits = ((high & 0xFFFFFFFFL) << 21) | ((low & 0xFFFFFFFFL) >>> 11);
    return bits * UNIT;
  }

  /** One Philox block: counter (index, substream, stream low, stream high) under the seed's key. */
  void philox(long stream, int substream, int index, int[] block) {
    int c0 = index;
    int c1 = substream;
    int c2 = (int) stream;
    int c3 = (int) (stream >>> 32);
    int k0 = key0;
    int k1 = key1;
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = (M0 & 0xFFFFFFFFL) * (c0 & 0xFFFFFFFFL);
      long p1 = (M1 & 0xFFFFFFFFL) * (c2 & 0xFFFFFFFFL);
      int n0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      int n2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c1 = (int) p1;
      c3 = (int) p0;
      c0 = n0;
      c2 = n2;
      k0 += W0;
      k1 += W1;
    }
    block[0] = c0;
    block[1] = c1;
    block[2] = c2;
    block[3] = c3;
  }
}
