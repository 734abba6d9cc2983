/**
 * Long computations over rows of tokens, cut into blocks so that they can stop, go on, be split
 * over machines and be put together again with the same numbers. Start at {@link
 * dev.resid.experiments.sweep.SweepRunner}. Knows nothing about models or directions; may depend on
 * {@code core} only.
 */
package dev.resid.experiments.sweep;
