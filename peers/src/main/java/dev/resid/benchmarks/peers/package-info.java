/**
 * Other engines that do the workloads of {@code resid bench}, found through {@link
 * java.util.ServiceLoader}. Start at {@link dev.resid.benchmarks.peers.PyTorchPeer}. Only the Maven
 * profile {@code peers} builds this package and downloads what it needs.
 */
package dev.resid.benchmarks.peers;
