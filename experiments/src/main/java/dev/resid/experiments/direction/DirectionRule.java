package dev.resid.experiments.direction;

/** A family of directions of the caller's own: one vector for every row and position. */
@FunctionalInterface
public interface DirectionRule {
  /**
   * Returns the vector at a place, [d_model], which is then scaled to norm 1. It may depend on the
   * place alone, so that draws do not depend on batches, threads or what else is drawn. Several
   * threads call it at once.
   *
   * @param place the activation to be moved, and random numbers for it
   */
  float[] vector(DirectionPlace place);
}
