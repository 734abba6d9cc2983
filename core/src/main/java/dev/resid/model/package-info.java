/**
 * The model: GPT-2 with one forward and one backward pass, hooks, clean runs that are continued,
 * and generation. Start at {@link dev.resid.model.Gpt2}; the table of weights is {@link
 * dev.resid.model.WeightNames}. May depend on {@code tensor}, {@code hook}, {@code tokenizer},
 * {@code io}, {@code hub}, {@code metric} and {@code random}; is given a backend and never looks
 * one up.
 */
package dev.resid.model;
