package dev.resid.experiments.language;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.hook.HookPoint;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;

/**
 * What is measured.
 *
 * @param tokens rows of one length, at least 3
 * @param saes what activations are replaced by, one at a time; may be empty if there are points
 * @param points activations whose norm is measured besides those that SAEs read
 * @param ranges positions whose means are taken together; none twice
 * @param data what the rows are called in records
 * @param seed of the resamples
 */
public record ContextOptions(
    TokenBatch tokens,
    List<NamedSae> saes,
    List<HookPoint> points,
    List<PositionRange> ranges,
    String data,
    long seed) {
  /** Checks that positions of different rows stand for each other. */
  public ContextOptions {
    saes = List.copyOf(saes);
    points = List.copyOf(points);
    ranges = List.copyOf(ranges);
    if (saes.isEmpty() && points.isEmpty()) {
      throw new IllegalArgumentException(
          "this measures SAEs and norms by position and there is no SAE and no activation; name one"
              + " with --sae or --norm");
    }
    if (tokens.isRagged() || tokens.maxLength() < 3) {
      throw new IllegalArgumentException(
          "rows need one length of at least 3 tokens, so that every position has every row");
    }
    if (points.stream().distinct().count() < points.size()
        || ranges.stream().distinct().count() < ranges.size()) {
      throw new IllegalArgumentException(
          "activations and positions are named once each, got " + points + " and " + ranges);
    }
    for (PositionRange range : ranges) {
      if (range.to() > tokens.maxLength() - 1) {
        throw new IllegalArgumentException(
            "positions "
                + range
                + " do not exist: rows have "
                + tokens.maxLength()
                + " tokens, and the last predicts nothing");
      }
    }
  }

  /**
   * Options for SAEs alone, with the first position and all others as ranges.
   *
   * @param tokens rows of one length, at least 3
   * @param saes what activations are replaced by, one at a time; at least one
   * @param data what the rows are called in records
   * @param seed of the resamples
   */
  public ContextOptions(TokenBatch tokens, List<NamedSae> saes, String data, long seed) {
    this(tokens, saes, List.of(), firstAndRest(tokens), data, seed);
  }

  /** Returns the first position and all others that predict a token. */
  public static List<PositionRange> firstAndRest(TokenBatch tokens) {
    return List.of(
        new PositionRange(1, 1), new PositionRange(2, Math.max(2, tokens.maxLength() - 1)));
  }
}
