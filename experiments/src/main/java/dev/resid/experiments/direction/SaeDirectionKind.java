package dev.resid.experiments.direction;

import dev.resid.experiments.result.Worded;
import java.util.Arrays;
import java.util.BitSet;

/** The kinds of direction that an SAE gives, by the names of tables and the command line. */
public enum SaeDirectionKind implements Worded {
  /** {@link Direction.SaeError}. */
  ERROR("sae-error"),
  /** {@link Direction.SaeFeature} of features alive in the data but not active in the row. */
  FEATURE("sae-feature"),
  /** {@link Direction.SaeFeature} of features active in the row. */
  ACTIVE_FEATURE("sae-feature-active"),
  /** {@link Direction.SaeFeature} of features never active. */
  DEAD_FEATURE("sae-feature-dead");

  private final String word;

  SaeDirectionKind(String word) {
    this.word = word;
  }

  /** Returns the name, for example {@code sae-error}. */
  @Override
  public String word() {
    return word;
  }

  /** Returns whether there is a kind of this name. */
  public static boolean isOne(String word) {
    return Arrays.stream(values()).anyMatch(kind -> kind.word.equals(word));
  }

  /**
   * Returns the kind of a name.
   *
   * @throws IllegalArgumentException if there is none; the message lists those there are
   */
  public static SaeDirectionKind of(String word) {
    return Worded.of(SaeDirectionKind.class, word, "direction of an SAE");
  }

  /**
   * Returns the direction of this kind.
   *
   * @param sae the SAE
   * @param alive its features that were active anywhere in the data
   */
  public Direction direction(NamedSae sae, BitSet alive) {
    return switch (this) {
      case ERROR -> Direction.saeError(sae);
      case FEATURE -> Direction.saeFeature(sae, FeatureChoice.ALIVE_NOT_ACTIVE, alive);
      case ACTIVE_FEATURE -> Direction.saeFeature(sae, FeatureChoice.ACTIVE, alive);
      case DEAD_FEATURE -> Direction.saeFeature(sae, FeatureChoice.DEAD, alive);
    };
  }

  @Override
  public String toString() {
    return word;
  }
}
