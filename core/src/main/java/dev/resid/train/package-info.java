/**
 * Training: AdamW, the learning-rate schedule, text as batches, and the trainer whose checkpoints
 * resume bit for bit. Start at {@link dev.resid.train.Gpt2Trainer}. May depend on everything in
 * core but implementations of backends.
 */
package dev.resid.train;
