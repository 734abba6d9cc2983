/**
 * Looking at the features of a sparse autoencoder: which are alike ({@link
 * dev.resid.sae.dictionary.MaxCosineSimilarity}), which tokens they promote ({@link
 * dev.resid.sae.dictionary.FeatureLens}), where they are active ({@link
 * dev.resid.sae.dictionary.FeatureActivations}), what in a text activates them ({@link
 * dev.resid.sae.dictionary.AblatedText}), what they do ({@link
 * dev.resid.sae.dictionary.FeatureAblation}) and how those of two SAEs are connected ({@link
 * dev.resid.sae.dictionary.FeatureConnections}, {@link dev.resid.sae.dictionary.ConnectionFit}).
 * May depend on {@code sae}, {@code sae.metric}, {@code hook}, {@code metric}, {@code model},
 * {@code random}, {@code tensor} and {@code tokenizer} of the library.
 */
package dev.resid.sae.dictionary;
