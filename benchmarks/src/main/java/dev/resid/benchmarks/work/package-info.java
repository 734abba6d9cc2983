/**
 * What is measured, defined once for JMH and for the table of {@code resid bench}: workloads with
 * their generated inputs, operations or bytes, and reference numbers; engines that do them; and the
 * machine's own limits. Start at {@link dev.resid.benchmarks.work.Workload}. May depend on core,
 * sae and experiments, and not on JMH.
 */
package dev.resid.benchmarks.work;
