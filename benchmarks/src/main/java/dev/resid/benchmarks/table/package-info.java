/**
 * The table of {@code resid bench}: every workload in a JVM of its own, this library and the peers
 * that are there taking turns, medians as ratios to what the machine reaches at the same time.
 * Start at {@link dev.resid.benchmarks.table.BenchTable}. May depend on {@code work}, and not on
 * JMH.
 */
package dev.resid.benchmarks.table;
