/**
 * Measures of what a model predicts, from logits, in float64 and in nats. Start at {@link
 * dev.resid.metric.KlDivergence}. May depend on {@code tensor} and {@code tokenizer}.
 */
package dev.resid.metric;
