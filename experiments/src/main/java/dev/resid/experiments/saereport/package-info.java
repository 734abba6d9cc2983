/**
 * Judging an SAE on a token set: every metric, how often its features are active, and the report.
 * Start at {@link dev.resid.experiments.saereport.SaeEvaluationStudy}. May depend on {@code core},
 * {@code sae}, {@code direction}, {@code report}, {@code result}, {@code study}, {@code sweep} and
 * {@code text}.
 */
package dev.resid.experiments.saereport;
