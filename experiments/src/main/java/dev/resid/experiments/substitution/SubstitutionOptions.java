package dev.resid.experiments.substitution;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.hook.HookPoint;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;
import java.util.stream.Stream;

/**
 * What is measured, and how the work is done.
 *
 * @param tokens rows of tokens; each at least three long
 * @param text where the tokens come from, for the report
 * @param saes each at a point of the residual stream; may be empty if there are points
 * @param ablated activations that are replaced by what needs no SAE, besides those of the SAEs
 * @param substitutes what replaces the activations, none twice
 * @param readouts what is measured, none twice; KL among them
 * @param alone which substitutes are put in at a single position too; others than those above are
 *     left out
 * @param position the position that is replaced alone, read there and at the next 16
 * @param seed same seed, same numbers
 * @param pool real activations are drawn from at most so many, chosen at random
 * @param ridge added to the diagonal of the covariance
 * @param batchRows rows a call of the model; 0 for what fits; changes no number
 */
public record SubstitutionOptions(
    TokenBatch tokens,
    String text,
    List<NamedSae> saes,
    List<HookPoint> ablated,
    List<Substitute> substitutes,
    List<Readout> readouts,
    List<Substitute> alone,
    int position,
    long seed,
    int pool,
    double ridge,
    int batchRows) {
  /** The published seed of the directions. */
  public static final long DEFAULT_SEED = 23;

  /** Activations in the pool of each point. */
  public static final int DEFAULT_POOL = 65_536;

  /** The published regulariser. */
  public static final double DEFAULT_RIDGE = 0.01;

  /** One of the two published single positions. */
  public static final int DEFAULT_POSITION = 32;

  /** A pool holds two activations for a difference, and another one. */
  public static final int SMALLEST_POOL = 3;

  private static final int SHORTEST_ROW = 3;

  /** Checks what can be checked without the model. */
  public SubstitutionOptions {
    saes = List.copyOf(saes);
    ablated = List.copyOf(ablated);
    substitutes = List.copyOf(substitutes);
    readouts = List.copyOf(readouts);
    alone = List.copyOf(alone);
    if (saes.isEmpty() && ablated.isEmpty()) {
      throw new IllegalArgumentException(
          "substitution compares SAEs and was given none; name one with --sae, or an activation to"
              + " ablate with --ablate");
    }
    if (saes.isEmpty() && substitutes.stream().allMatch(Substitute::needsSae)) {
      throw new IllegalArgumentException(
          "without an SAE there is nothing to put in the place of activations but zero, mean and"
              + " mean-with-first; name one of them with --substitutes");
    }
    if (!readouts.contains(Readout.KL)
        || readouts.stream().distinct().count() < readouts.size()
        || ablated.stream().distinct().count() < ablated.size()) {
      throw new IllegalArgumentException(
          "read-outs and ablated activations are named once each, and KL is among the read-outs;"
              + " got "
              + readouts
              + " and "
              + ablated);
    }
    if (saes.stream().map(NamedSae::name).distinct().count() < saes.size()) {
      throw new IllegalArgumentException("two SAEs have the same name");
    }
    if (substitutes.isEmpty() || substitutes.stream().distinct().count() < substitutes.size()) {
      throw new IllegalArgumentException(
          "substitutes are at least one and none twice, got " + substitutes);
    }
    if (position < 0) {
      throw new IllegalArgumentException("position is " + position + ", must be at least 0");
    }
    if (pool < SMALLEST_POOL
        || !(ridge >= 0 && ridge < Double.POSITIVE_INFINITY)
        || batchRows < 0) {
      throw new IllegalArgumentException(
          "a pool holds at least 3 activations, a ridge and a batch are not negative; got pool "
              + pool
              + ", ridge "
              + ridge
              + ", batch "
              + batchRows);
    }
    for (int row = 0; row < tokens.rows(); row++) {
      if (tokens.length(row) < SHORTEST_ROW) {
        throw new IllegalArgumentException(
            "row " + row + " has " + tokens.length(row) + " tokens, needs 3; leave it out");
      }
    }
  }

  /** Returns options with the published values, all usual substitutes, KL and L2. */
  public static SubstitutionOptions of(TokenBatch tokens, String text, List<NamedSae> saes) {
    return new SubstitutionOptions(
        tokens,
        text,
        saes,
        List.of(),
        Substitute.USUAL,
        Readout.PUBLISHED,
        Substitute.USUALLY_ALONE,
        DEFAULT_POSITION,
        DEFAULT_SEED,
        DEFAULT_POOL,
        DEFAULT_RIDGE,
        0);
  }

  /** Returns the points of all SAEs and the ablated ones, none twice, in the model's order. */
  List<HookPoint> points() {
    return Stream.concat(saes.stream().map(sae -> sae.sae().hookPoint()), ablated.stream())
        .distinct()
        .sorted()
        .toList();
  }

  /** Returns the SAEs at a point. */
  List<NamedSae> at(HookPoint point) {
    return saes.stream().filter(sae -> sae.sae().hookPoint().equals(point)).toList();
  }
}
