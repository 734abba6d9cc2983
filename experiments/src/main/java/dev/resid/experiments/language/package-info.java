/**
 * How well a model speaks when its activations are replaced by reconstructions: LAMBADA and the
 * Children's Book Test. Start at {@link dev.resid.experiments.language.ClozeStudy}. May depend on
 * {@code direction}, {@code report}, {@code result}, {@code study} and {@code sweep}.
 */
package dev.resid.experiments.language;
