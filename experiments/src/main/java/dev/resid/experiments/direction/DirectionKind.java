package dev.resid.experiments.direction;

import dev.resid.experiments.result.Worded;

/** The kinds of baseline direction, by the names of tables and the command line. */
public enum DirectionKind implements Worded {
  /** {@link Direction.Isotropic}. */
  ISOTROPIC("isotropic"),
  /** {@link Direction.CovRandomDifference}. */
  COV_RANDOM_DIFFERENCE("cov-random-difference"),
  /** {@link Direction.CovRandomMixture}. */
  COV_RANDOM_MIXTURE("cov-random-mixture"),
  /** {@link Direction.RealDifference}. */
  REAL_DIFFERENCE("real-difference"),
  /** {@link Direction.RealMixture}. */
  REAL_MIXTURE("real-mixture");

  private final String word;

  DirectionKind(String word) {
    this.word = word;
  }

  /** Returns the name, for example {@code real-mixture}; the same as {@link Direction#name}. */
  @Override
  public String word() {
    return word;
  }

  /**
   * Returns the kind of a name.
   *
   * @throws IllegalArgumentException if there is none; the message lists those there are
   */
  public static DirectionKind of(String word) {
    return Worded.of(DirectionKind.class, word, "direction");
  }

  /**
   * Returns the direction of this kind.
   *
   * @param gaussian normal distribution of the activations
   * @param pool real activations
   */
  public Direction direction(Gaussian gaussian, ActivationPool pool) {
    return switch (this) {
      case ISOTROPIC -> Direction.isotropic();
      case COV_RANDOM_DIFFERENCE -> Direction.covRandomDifference(gaussian);
      case COV_RANDOM_MIXTURE -> Direction.covRandomMixture(gaussian);
      case REAL_DIFFERENCE -> Direction.realDifference(pool);
      case REAL_MIXTURE -> Direction.realMixture(pool);
    };
  }

  @Override
  public String toString() {
    return word;
  }
}
