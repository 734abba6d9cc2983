/**
 * What the clean data say: mean, covariance, norms and distances of the activations at a point, a
 * pool of them in a file, and a census of SAEs; and how many rows go through the model at a time.
 * Start at {@link dev.resid.experiments.activations.StatisticsPass}. May depend on {@code
 * direction}, {@code result} and {@code sweep}.
 */
package dev.resid.experiments.activations;
