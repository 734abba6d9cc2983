/**
 * Which part of a model brings about a prediction: logit lens, direct logit attribution, activation
 * patching, attribution patching, ablation. Everything is an arrangement of the one forward pass,
 * clean runs that are continued, and the one backward pass. Start at {@link
 * dev.resid.analysis.LogitReadout}, the scalar that the others explain. May depend on {@code hook},
 * {@code model}, {@code tensor} and {@code tokenizer}.
 */
package dev.resid.analysis;
