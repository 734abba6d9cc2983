package dev.resid.benchmarks.work;

/** One way of doing a workload: this library's, a plainer one of it, or another engine's. */
public interface Engine extends AutoCloseable {
  /** Returns its name in the table, with the version of another engine. */
  String name();

  /** Does the workload once. */
  void run();

  /**
   * Does the workload once and returns the seconds that one of its units took: the whole run,
   * unless a run is several units, or begins with something that is not part of one.
   */
  default double seconds() {
    long before = System.nanoTime();
    run();
    return (System.nanoTime() - before) / 1e9;
  }

  /** Returns the numbers that {@link Workload#expected} describes, after a run. */
  float[] sample();

  /** Returns what else is known after a run, for the table, for example memory; or nothing. */
  default String note() {
    return "";
  }

  /** Frees what it holds. */
  @Override
  default void close() {}
}
