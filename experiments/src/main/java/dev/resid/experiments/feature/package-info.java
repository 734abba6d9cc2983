/**
 * A page about one feature of an SAE: where it is active, which tokens it promotes, what in a text
 * activates it, which features are near. Start at {@link
 * dev.resid.experiments.feature.FeatureStudy}. May depend on {@code core}, {@code sae} and {@code
 * report}.
 */
package dev.resid.experiments.feature;
