package dev.resid.experiments.sensitivity;

import dev.resid.experiments.direction.DirectionKind;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.direction.SaeDirectionKind;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What is measured, and how the work is done.
 *
 * @param tokens rows of tokens; each at least three long
 * @param text where the tokens come from, for the report
 * @param layer block whose {@code resid_pre} is perturbed
 * @param lengths perturbation lengths
 * @param directions directions, none twice
 * @param moved positions that are perturbed
 * @param saes SAEs that directions name, at {@code resid_pre} of the layer
 * @param seed same seed, same numbers
 * @param pool real activations are drawn from at most so many, chosen at random
 * @param ridge added to the diagonal of the covariance
 * @param batchRows rows a call of the model; 0 for what fits; changes no number
 */
public record SensitivityOptions(
    TokenBatch tokens,
    String text,
    int layer,
    Lengths lengths,
    List<SweptDirection> directions,
    Moved moved,
    List<NamedSae> saes,
    long seed,
    int pool,
    double ridge,
    int batchRows) {
  /** The published seed. */
  public static final long DEFAULT_SEED = 23;

  /** Activations in the pool: 128 MiB at d_model 256, 384 MiB at GPT-2 small's 768. */
  public static final int DEFAULT_POOL = 131_072;

  /** The published regulariser. */
  public static final double DEFAULT_RIDGE = 0.01;

  /** A pool holds two activations for a difference, and another one. */
  public static final int SMALLEST_POOL = 3;

  private static final int SHORTEST_ROW = 3;

  /** Checks what can be checked without the model. */
  public SensitivityOptions {
    directions = List.copyOf(directions);
    saes = List.copyOf(saes);
    if (directions.isEmpty() || directions.stream().distinct().count() < directions.size()) {
      throw new IllegalArgumentException(
          "directions are at least one and none twice, got " + directions);
    }
    if (pool < SMALLEST_POOL) {
      throw new IllegalArgumentException("a pool holds at least 3 activations, got " + pool);
    }
    if (!(ridge >= 0 && ridge < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("ridge is " + ridge + ", must be at least 0");
    }
    if (batchRows < 0) {
      throw new IllegalArgumentException("batch is " + batchRows + " rows, must be at least 1");
    }
    requireSaes(directions, saes);
    for (int row = 0; row < tokens.rows(); row++) {
      if (tokens.length(row) < SHORTEST_ROW) {
        throw new IllegalArgumentException(
            "row "
                + row
                + " has "
                + tokens.length(row)
                + " tokens, but the last position is not measured and the first is shown apart, so"
                + " that a row needs 3; leave it out");
      }
    }
  }

  /**
   * Options that perturb every position at once, as published.
   *
   * @param tokens rows of tokens; each at least three long
   * @param text where the tokens come from, for the report
   * @param layer block whose {@code resid_pre} is perturbed
   * @param lengths perturbation lengths
   * @param directions directions, none twice
   * @param saes SAEs that directions name, at {@code resid_pre} of the layer
   * @param seed same seed, same numbers
   * @param pool real activations are drawn from at most so many, chosen at random
   * @param ridge added to the diagonal of the covariance
   * @param batchRows rows a call of the model; 0 for what fits
   */
  public SensitivityOptions(
      TokenBatch tokens,
      String text,
      int layer,
      Lengths lengths,
      List<SweptDirection> directions,
      List<NamedSae> saes,
      long seed,
      int pool,
      double ridge,
      int batchRows) {
    this(
        tokens,
        text,
        layer,
        lengths,
        directions,
        new Moved.All(),
        saes,
        seed,
        pool,
        ridge,
        batchRows);
  }

  private static void requireSaes(List<SweptDirection> directions, List<NamedSae> saes) {
    List<String> names = saes.stream().map(NamedSae::name).toList();
    if (names.stream().distinct().count() < names.size()) {
      throw new IllegalArgumentException("two SAEs have the same name: " + names);
    }
    for (SweptDirection direction : directions) {
      if (direction instanceof SweptDirection.OfSae of && !names.contains(of.sae())) {
        throw new IllegalArgumentException(
            direction.name() + " names an SAE that is not there; there are " + names);
      }
    }
  }

  /**
   * Returns these options with other directions.
   *
   * @param others at least one, none twice; for example {@link #baselines} and {@link
   *     SweptDirection#own}
   */
  public SensitivityOptions withDirections(List<SweptDirection> others) {
    return new SensitivityOptions(
        tokens, text, layer, lengths, others, moved, saes, seed, pool, ridge, batchRows);
  }

  /**
   * Returns these options with other lengths.
   *
   * @param others perturbation lengths
   */
  public SensitivityOptions withLengths(Lengths others) {
    return new SensitivityOptions(
        tokens, text, layer, others, directions, moved, saes, seed, pool, ridge, batchRows);
  }

  /** Returns the five directions that need no SAE. */
  public static List<SweptDirection> baselines() {
    return Arrays.stream(DirectionKind.values())
        .<SweptDirection>map(SweptDirection.Baseline::new)
        .toList();
  }

  /**
   * Returns what a run has if nothing else is asked for: the five, and of every SAE its error and
   * its features that are alive but not active in the row.
   *
   * @param saes at the activation that is perturbed
   */
  public static List<SweptDirection> usualDirections(List<NamedSae> saes) {
    List<SweptDirection> all = new ArrayList<>(baselines());
    for (SaeDirectionKind kind : List.of(SaeDirectionKind.ERROR, SaeDirectionKind.FEATURE)) {
      saes.forEach(sae -> all.add(new SweptDirection.OfSae(kind, sae.name())));
    }
    return all;
  }

  /**
   * Returns options with the published values, all directions.
   *
   * @param tokens rows of tokens
   * @param text where they come from
   * @param layer block whose {@code resid_pre} is perturbed
   */
  public static SensitivityOptions of(TokenBatch tokens, String text, int layer) {
    return new SensitivityOptions(
        tokens,
        text,
        layer,
        new Lengths.Scaled(),
        baselines(),
        List.of(),
        DEFAULT_SEED,
        DEFAULT_POOL,
        DEFAULT_RIDGE,
        0);
  }
}
