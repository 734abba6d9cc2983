package dev.resid.experiments.activations;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.hook.HookPoint;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;

/**
 * What a walk over the data looks at.
 *
 * @param tokens rows of tokens
 * @param point whose activations
 * @param seed which activations belong to the pool
 * @param pool at most so many of them
 * @param saes SAEs whose census is taken, at the point
 */
public record PointData(
    TokenBatch tokens, HookPoint point, long seed, int pool, List<NamedSae> saes) {
  /** Copies the list. */
  public PointData {
    saes = List.copyOf(saes);
  }
}
