package dev.resid.experiments.dictionary;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.tokenizer.TokenBatch;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What is measured.
 *
 * @param tokens rows of tokens; each at least three long
 * @param text where the tokens come from, for the report
 * @param saes at least one
 * @param parts which experiments, at least one
 * @param removalRows continuations start from at most so many rows, the first ones; frequencies,
 *     examples and fits use all
 * @param features of each SAE so many are drawn and looked at one by one
 * @param atoms which directions of an SAE are compared with those of others
 * @param assignedAtMost one-to-one partners are sought for dictionaries of at most so many atoms;
 *     memory grows with the square of it and time with the cube
 * @param seed of drawn features and examples, random directions and resamples
 */
public record DictionaryOptions(
    TokenBatch tokens,
    String text,
    List<NamedSae> saes,
    Set<Part> parts,
    int removalRows,
    int features,
    Atoms atoms,
    int assignedAtMost,
    long seed) {
  /** The seed if none is given. */
  public static final long DEFAULT_SEED = 23;

  /** The largest dictionaries that get one-to-one partners if no number is given. */
  public static final int DEFAULT_ASSIGNED_AT_MOST = 4096;

  /** Rows that continuations start from if no number is given. */
  public static final int DEFAULT_REMOVAL_ROWS = 12;

  /** Features looked at one by one if no number is given. */
  public static final int DEFAULT_FEATURES = 12;

  private static final int SHORTEST_ROW = 3;

  /** Which experiments. */
  public enum Part {
    /** Frequent features removed, norms against errors, cosines between SAEs. */
    DICTIONARIES,
    /** Examples, logit lens, ablated text, ablation and previous words of single features. */
    FEATURES,
    /** From features of one SAE to those of a later one. */
    CONNECTIONS
  }

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
    parts = Set.copyOf(parts);
    if (saes.isEmpty()) {
      throw new IllegalArgumentException(
          "dictionary looks at SAEs and was given none; name one with --sae");
    }
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("no part of the study was asked for");
    }
    if (saes.stream().map(NamedSae::name).distinct().count() < saes.size()) {
      throw new IllegalArgumentException("two SAEs have the same name");
    }
    if (removalRows < 1 || features < 1) {
      throw new IllegalArgumentException(
          "rows to continue from and features to look at are "
              + removalRows
              + " and "
              + features
              + "; both are at least 1");
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

  /** Returns options with all parts, alive atoms and the default numbers. */
  public static DictionaryOptions of(TokenBatch tokens, String text, List<NamedSae> saes) {
    return new DictionaryOptions(
        tokens,
        text,
        saes,
        EnumSet.allOf(Part.class),
        DEFAULT_REMOVAL_ROWS,
        DEFAULT_FEATURES,
        Atoms.ALIVE,
        DEFAULT_ASSIGNED_AT_MOST,
        DEFAULT_SEED);
  }

  /** Returns the rows that continuations start from. */
  TokenBatch firstRows() {
    return tokens.slice(0, Math.min(tokens.rows(), removalRows));
  }
}
