/**
 * Which activations carry the difference between two prompts: activation patching over layer,
 * position and component, attribution patching beside it, direct logit attribution and logit lens.
 * Start at {@link dev.resid.experiments.patch.PatchStudy}. May depend on {@code report}, {@code
 * result}, {@code study} and {@code sweep}.
 */
package dev.resid.experiments.patch;
