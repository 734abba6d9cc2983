/**
 * How well a model speaks when its activations are replaced by reconstructions: LAMBADA and the
 * Children's Book Test, effects by feature, and quality by position. Start at {@link
 * dev.resid.experiments.language.ClozeStudy}. May depend on {@code direction}, {@code report},
 * {@code result}, {@code study}, {@code sweep} and {@code text}.
 */
package dev.resid.experiments.language;
