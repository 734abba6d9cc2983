/**
 * Sparse autoencoders on activations of a GPT-2: encode into active features only, decode, and
 * splice into a forward pass. Start at {@link dev.resid.sae.Sae}; files are read by {@code io},
 * judged by {@code metric}, trained by {@code train} and looked at by {@code dictionary}. May
 * depend on {@code core} only; is given a backend and never looks one up.
 */
package dev.resid.sae;
