/**
 * Sensitive directions: how much the prediction changes when the residual stream is moved by a
 * given length in directions of several kinds.
 *
 * <p>Question: do directions that look like real activations change the prediction more than random
 * ones of the same length? Command: {@code resid sensitivity}. Expected: KL rises with the length
 * in all directions; differences above mixtures, mixtures above isotropic directions; the page
 * {@code report.html} says for each of these orderings whether it holds.
 *
 * <p>Start at {@link dev.resid.experiments.sensitivity.SensitivityStudy}. May depend on every
 * package of this module but {@code cli} and other studies.
 */
package dev.resid.experiments.sensitivity;
