/**
 * Directions to perturb activations in: one unit vector for every row and position, and the
 * statistics of real activations they are drawn from. Start at {@link
 * dev.resid.experiments.direction.Direction}. May depend on {@code core}, {@code result}, {@code
 * sweep} and EJML.
 */
package dev.resid.experiments.direction;
