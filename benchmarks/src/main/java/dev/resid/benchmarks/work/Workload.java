package dev.resid.benchmarks.work;

import java.util.List;

/**
 * Work of one size with generated inputs. Its engines give the same numbers, which is checked
 * against the reference before anything is timed.
 */
public interface Workload extends AutoCloseable {
  /** Returns its name in the table, with the sizes. */
  String name();

  /** Returns what limits it. */
  Bound bound();

  /**
   * Returns the operations or bytes of one unit that cannot be avoided: products of the weights, or
   * every weight read once.
   */
  double amount();

  /** Returns how this library does it. */
  Engine ours();

  /** Returns plainer ways of this library to do the same, to be related to. */
  default List<Engine> baselines() {
    return List.of();
  }

  /** Returns what the reference gives for a small part of the result. */
  float[] expected();

  /** Returns by how much a number may differ, relative to the largest expected one. */
  double tolerance();

  /**
   * Requires an engine to agree with the reference. Runs it.
   *
   * @param engine ours, a baseline or a peer
   * @param expected what {@link #expected} returned, which takes long
   * @throws IllegalStateException if it does not
   */
  default void check(Engine engine, float[] expected) {
    engine.run();
    Agreement.require(name() + ", " + engine.name(), expected, engine.sample(), tolerance());
  }

  /** Frees what it holds. */
  @Override
  default void close() {}
}
