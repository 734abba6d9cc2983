package dev.resid.benchmarks;

/** The options of the JVMs that benchmarks run in; the same as those of {@code ./resid}. */
final class Jvm {
  /** Makes the Vector API available. */
  static final String VECTOR_API = "--add-modules=jdk.incubator.vector";

  /** The collector. */
  static final String GC = "-XX:+UseParallelGC";

  private Jvm() {}
}
