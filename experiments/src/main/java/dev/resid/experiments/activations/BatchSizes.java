package dev.resid.experiments.activations;

import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.model.Gpt2Config;
import java.util.Optional;

/**
 * How many rows and lengths go through the model at a time. No result depends on it.
 *
 * @param rows rows of tokens
 * @param lengths perturbation lengths
 * @param vectorBytes bytes of a vector of d_model floats for every position of a row
 * @param cleanVectors vectors that a position of the clean run takes, and whatever else is there
 *     once for all lengths
 */
public record BatchSizes(int rows, int lengths, long vectorBytes, int cleanVectors) {
  /**
   * Vectors of d_model floats that a position takes at the peak of a continuation: the changed
   * copies, the repeated clean stream, a block's inputs and outputs, the hidden layer of the MLP
   * and what is kept for KL and L2. Counted in the forward pass and rounded up.
   */
  private static final int VECTORS_PER_POSITION = 28;

  /**
   * Of them, a clean run's that is continued from one point of the residual stream: the stream
   * there, behind the last block and normalised.
   */
  private static final int CLEAN_OF_THEM = 3;

  /** More than this brings no speed: products are long enough by then. */
  private static final long ENOUGH_POSITIONS = 8192;

  /**
   * Chooses sizes that fit.
   *
   * @param config the model
   * @param rowLength tokens of the longest row
   * @param lengths how many lengths there are
   * @param rowsPerBlock rows of a block, which no batch exceeds
   * @param wantedRows rows a batch, or 0 for a choice
   * @param cleanVectors vectors of d_model that a position of the clean run takes, and whatever
   *     else is there once for all lengths
   * @param memory what activations may take
   * @throws IllegalStateException if not even the smallest, or wanted, sizes fit
   */
  public static BatchSizes choose(
      Gpt2Config config,
      int rowLength,
      int lengths,
      int rowsPerBlock,
      int wantedRows,
      int cleanVectors,
      MemoryPlan memory) {
    long vectorBytes = (long) rowLength * config.dModel() * Float.BYTES;
    long enough = ENOUGH_POSITIONS / rowLength;
    BatchSizes one = new BatchSizes(1, 1, vectorBytes, cleanVectors);
    int rows = Math.clamp(Math.min(memory.budget() / one.bytes(), enough), 1, rowsPerBlock);
    if (wantedRows > 0) {
      rows = Math.min(wantedRows, rowsPerBlock);
    }
    long vectors = memory.budget() / (vectorBytes * rows);
    long fitting = (vectors - more(cleanVectors)) / VECTORS_PER_POSITION;
    int copies = Math.clamp(Math.min(fitting, enough / rows), 1, lengths);
    BatchSizes chosen = new BatchSizes(rows, copies, vectorBytes, cleanVectors);
    memory.requireRoomFor(chosen.bytes());
    return chosen;
  }

  /** Returns half as many lengths at a time, or rows where there is one; nothing below one row. */
  public Optional<BatchSizes> smaller() {
    int fewerLengths = (lengths + 1) / 2;
    int fewerRows = lengths > 1 ? rows : (rows + 1) / 2;
    return rows == 1 && lengths == 1
        ? Optional.empty()
        : Optional.of(new BatchSizes(fewerRows, fewerLengths, vectorBytes, cleanVectors));
  }

  /** Returns about how much memory the activations of one call take, those of the clean run too. */
  public long bytes() {
    return vectorBytes * rows * ((long) lengths * VECTORS_PER_POSITION + more(cleanVectors));
  }

  private static int more(int cleanVectors) {
    return Math.max(0, cleanVectors - CLEAN_OF_THEM);
  }

  /** Returns about how many bytes of them are the clean run's. */
  public long cleanRun() {
    return vectorBytes * rows * cleanVectors;
  }
}
