/**
 * What a run leaves behind: result tables, and records that say exactly what was run. Start at
 * {@link dev.resid.experiments.result.BuildInfo}. May depend on {@code core} only.
 */
package dev.resid.experiments.result;
