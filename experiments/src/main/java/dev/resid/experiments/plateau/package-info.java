/**
 * Plateaus and blow-ups: how the final activation and the prediction change while the residual
 * stream of the last token is moved step by step towards another point.
 *
 * <p>Question: does the model treat activations that were put together from SAE features as it
 * treats its own? Command: {@code resid plateau}. Expected: the final activation hardly changes at
 * first and then at once; earlier on the way to a real activation than to a random one, with
 * synthetic activations in between; and real activations lie in wider plateaus than all others. The
 * page {@code report.html} says for each of these claims whether it holds.
 *
 * <p>Start at {@link dev.resid.experiments.plateau.PlateauStudy}; the step statistics are pure
 * functions in {@link dev.resid.experiments.plateau.StepStatistics}. May depend on every package of
 * this module but {@code cli} and other studies.
 */
package dev.resid.experiments.plateau;
