/**
 * What replaces an activation, at equal distance: an SAE's reconstruction against isotropic,
 * cov-random and real directions, by layer and by L0, with corrections of the norm and ablations.
 * Start at {@link dev.resid.experiments.substitution.SubstitutionStudy}. May depend on {@code
 * activations}, {@code direction}, {@code report}, {@code result}, {@code sweep} and {@code text}.
 */
package dev.resid.experiments.substitution;
