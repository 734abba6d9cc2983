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
  /** Perpendicular vectors at a given angle; stream row, substream position. */
  THETA_RANDOM(9),
  /** Which feature of an SAE is a direction; stream row, substream position. */
  SAE_FEATURE(20),
  /** Normal vectors of a caller's own directions; stream row, substream position. */
  OWN_DIRECTION(21),
  /** Uniform numbers of a caller's own directions; stream row, substream position. */
  OWN_CHOICE(22),
  /** Order of prompts of which the first are the base prompts of plateaus. */
  PLATEAU_PROMPTS(30),
  /** Which other prompt a model-generated target is of; stream the prompt. */
  PLATEAU_OTHER(31),
  /** Normal vectors of random targets; stream the prompt. */
  PLATEAU_RANDOM(32),
  /** Normal vectors of the random targets of ways that start elsewhere; stream the prompt. */
  PLATEAU_RANDOM_END(33),
  /** Order in which features are tried as single-feature target; stream the prompt. */
  PLATEAU_SINGLE_FEATURE(34),
  /** Features of a bag; stream the prompt. */
  PLATEAU_BAG(35),
  /** Features of a synthetic baseline; stream the prompt. */
  PLATEAU_BASELINE(36),
  /** Pairs of activations whose distance is averaged for plateaus; stream the pair. */
  PLATEAU_DISTANCES(37),
  /** Directions that dictionaries are compared with; stream the direction. */
  DICTIONARY_RANDOM(50),
  /** Which features of an SAE are looked at one by one; stream the SAE. */
  DICTIONARY_FEATURES(51),
  /** Texts whose tokens are removed; stream the feature, substream the SAE. */
  DICTIONARY_TEXTS(52),
  /** Rows a feature is taken out of; stream the number among those looked at. */
  DICTIONARY_ROWS(53);

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
