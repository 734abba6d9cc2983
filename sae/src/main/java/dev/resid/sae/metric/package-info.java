/**
 * Judging a sparse autoencoder: what it reconstructs, what its reconstruction does to the model's
 * predictions, and which features it uses. Start at {@link dev.resid.sae.metric.SaeEvaluator},
 * which measures, and {@link dev.resid.sae.metric.SaeMetric}, which defines every number by name.
 * May depend on {@code sae}, {@code hook}, {@code metric}, {@code model}, {@code tensor} and {@code
 * tokenizer} of the library.
 */
package dev.resid.sae.metric;
