/**
 * JMH benchmarks. Each compares its results with the reference backend before it is timed, has
 * GPT-2's sizes as parameters with the smallest first, and is run for a moment by every build.
 * Start at {@link dev.resid.benchmarks.RowKernelsBenchmark}. May depend on all other modules.
 */
package dev.resid.benchmarks;
