package dev.resid.benchmarks.work;

import java.util.List;

/**
 * Another engine that does some of the workloads. Found through {@link java.util.ServiceLoader};
 * the library's own build has none.
 */
public interface Peer {
  /** Returns its name and version. */
  String name();

  /**
   * Returns its ways of doing a workload, none if it has none.
   *
   * @param workload gives inputs and sizes
   * @param threads how many it may use
   * @throws RuntimeException if it cannot run here; the message says why
   */
  List<Engine> engines(Workload workload, int threads);
}
