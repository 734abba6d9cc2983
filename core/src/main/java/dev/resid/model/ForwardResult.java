package dev.resid.model;

import dev.resid.hook.ActivationCache;
import dev.resid.tensor.Tensor;

/**
 * Logits and captured activations of one run.
 *
 * @param logits [batch, pos, d_vocab]; positions past the end of a shorter row hold arbitrary
 *     finite values
 * @param cache what the hooks captured
 */
public record ForwardResult(Tensor logits, ActivationCache cache) {}
