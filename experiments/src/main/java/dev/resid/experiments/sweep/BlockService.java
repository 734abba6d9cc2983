package dev.resid.experiments.sweep;

import java.io.IOException;

/** Computes blocks for a run, in whatever order and wherever it likes. */
@FunctionalInterface
public interface BlockService {
  /**
   * Computes blocks.
   *
   * @param blocks their numbers, ascending
   * @param finished told about each of them once
   * @throws IOException if one cannot be computed or written down
   */
  void compute(int[] blocks, Finished finished) throws IOException;

  /** Takes finished blocks, from any thread. */
  @FunctionalInterface
  interface Finished {
    /**
     * Writes a block down.
     *
     * @param block its number
     * @param values [rows of the block, values per row]
     * @param elapsedNanos how long it took to compute
     * @throws IOException if it cannot be written down
     */
    void take(int block, double[][] values, long elapsedNanos) throws IOException;
  }
}
