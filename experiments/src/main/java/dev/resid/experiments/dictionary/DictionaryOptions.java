package dev.resid.experiments.dictionary;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;

/**
 * What is measured.
 *
 * @param tokens rows of tokens; each at least three long
 * @param text where the tokens come from, for the report
 * @param saes at least one
 * @param atoms which directions of an SAE are compared with those of others
 * @param assignedAtMost one-to-one partners are sought for dictionaries of at most so many atoms;
 *     memory grows with the square of it and time with the cube
 * @param seed of random directions and of resamples
 */
public record DictionaryOptions(
    TokenBatch tokens,
    String text,
    List<NamedSae> saes,
    Atoms atoms,
    int assignedAtMost,
    long seed) {
  /** The seed if none is given. */
  public static final long DEFAULT_SEED = 23;

  /** The largest dictionaries that get one-to-one partners if no number is given. */
  public static final int DEFAULT_ASSIGNED_AT_MOST = 4096;

  private static final int SHORTEST_ROW = 3;

  /** Which directions of an SAE count. */
  public enum Atoms {
    /** Those of features that are active somewhere in the text. */
    ALIVE,
    /** All. */
    ALL
  }

  /** Checks what can be checked without the model. */
  public DictionaryOptions {
    saes = List.copyOf(saes);
    if (saes.isEmpty()) {
      throw new IllegalArgumentException(
          "dictionary looks at SAEs and was given none; name one with --sae");
    }
    if (saes.stream().map(NamedSae::name).distinct().count() < saes.size()) {
      throw new IllegalArgumentException("two SAEs have the same name");
    }
    if (assignedAtMost < 0) {
      throw new IllegalArgumentException(
          "one-to-one partners for at most " + assignedAtMost + " atoms; must not be negative");
    }
    for (int row = 0; row < tokens.rows(); row++) {
      if (tokens.length(row) < SHORTEST_ROW) {
        throw new IllegalArgumentException(
            "row " + row + " has " + tokens.length(row) + " tokens, needs 3; leave it out");
      }
    }
  }

  /** Returns options with alive atoms and the default numbers. */
  public static DictionaryOptions of(TokenBatch tokens, String text, List<NamedSae> saes) {
    return new DictionaryOptions(
        tokens, text, saes, Atoms.ALIVE, DEFAULT_ASSIGNED_AT_MOST, DEFAULT_SEED);
  }
}
