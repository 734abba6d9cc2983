package dev.resid.experiments.sweep;

/**
 * First key parts of the counter-based generator. Every use of random numbers in an experiment has
 * a number of its own here, so that no two uses share draws. Numbers are never reused: results of
 * earlier versions depend on them.
 */
public enum DrawKeys {
  /** Isotropic directions; stream row, substream position. */
  ISOTROPIC(1),
  /** Normal vectors of cov-random differences; stream row, substream position. */
  COV_RANDOM_DIFFERENCE(2),
  /** Normal vectors of cov-random mixtures; stream row, substream position. */
  COV_RANDOM_MIXTURE(3),
  /** Pool indices of real differences; stream row, substream position. */
  REAL_DIFFERENCE(4),
  /** Pairs of pool indices of real mixtures; stream row, substream position. */
  REAL_MIXTURE(5),
  /** Which activations belong to the pool. */
  POOL(6),
  /** Pairs whose distance is averaged; stream is the number of the pair. */
  DISTANCE_PAIRS(7),
  /** Rows of a bootstrap resample; stream is the number of the resample. */
  BOOTSTRAP(8),
  /** Which feature of an SAE is a direction; stream row, substream position. */
  SAE_FEATURE(20);

  private static final int SHIFT = 48;
  private final long number;

  DrawKeys(long number) {
    this.number = number;
  }

  /**
   * Returns the first key part of one stream of this use.
   *
   * @param stream for example the row; below 2^48
   */
  public long stream(long stream) {
    if (stream < 0 || stream >>> SHIFT != 0) {
      throw new IllegalArgumentException("stream " + stream + " is not from 0 to 2^48 - 1");
    }
    return number << SHIFT | stream;
  }
}
