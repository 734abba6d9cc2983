/**
 * What a run leaves behind: the output folder, result tables, and records that say exactly what was
 * run. Start at {@link dev.resid.experiments.result.RunFolder} and {@link
 * dev.resid.experiments.result.ResultTable}. May depend on {@code core} only.
 */
package dev.resid.experiments.result;
