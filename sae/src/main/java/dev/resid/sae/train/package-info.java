/**
 * Training of SAEs: plans with the published objectives, a shuffled stream of activations, and the
 * trainer whose checkpoints resume bit for bit. Start at {@link dev.resid.sae.train.SaeTrainer}.
 * May depend on {@code core} and on the types of {@code dev.resid.sae}.
 */
package dev.resid.sae.train;
