/**
 * How much the prediction changes when an activation is turned by a given angle, its norm held: by
 * site and layer, and against SAE reconstructions at equal cosine. Start at {@link
 * dev.resid.experiments.robustness.RobustnessStudy}. May depend on {@code activations}, {@code
 * direction}, {@code report}, {@code result}, {@code study}, {@code sweep} and {@code text}.
 */
package dev.resid.experiments.robustness;
