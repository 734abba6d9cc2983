package dev.resid.benchmarks.work;

/** What the machine limits a workload by. */
public enum Bound {
  /** Fused multiply-adds: the amount is floating-point operations. */
  FMA,
  /** Reading memory: the amount is bytes. */
  READ,
  /** Neither; there is no ratio to a limit, and the amount is 1. */
  NONE
}
