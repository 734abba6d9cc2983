package dev.resid.experiments.activations;

import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.model.Gpt2Config;
import java.util.Optional;

/**
 * How many rows and lengths go through the model at a time. No result depends on it.
 *
 * @param rows rows of tokens
 * @param lengths perturbation lengths
 * @param bytes about how much memory the activations of one call take
 */
public record BatchSizes(int rows, int lengths, long bytes) {
  /**
   * Vectors of d_model floats that a position takes at the peak of a continuation: the changed
   * copies, the repeated clean stream, a block's inputs and outputs, the hidden layer of the MLP
   * and what is kept for KL and L2. Counted in the forward pass and rounded up.
   */
  private static final int VECTORS_PER_POSITION = 28;

  /** Of them, the stream at the point, behind the last block and normalised. */
  private static final int STREAMS_OF_CLEAN_RUN = 3;

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
   * @param memory what activations may take
   * @throws IllegalStateException if not even the smallest, or wanted, sizes fit
   */
  public static BatchSizes choose(
      Gpt2Config config,
      int rowLength,
      int lengths,
      int rowsPerBlock,
      int wantedRows,
      MemoryPlan memory) {
    long perRow = (long) rowLength * config.dModel() * VECTORS_PER_POSITION * Float.BYTES;
    long fitting = Math.max(1, Math.min(memory.budget() / perRow, ENOUGH_POSITIONS / rowLength));
    int rows = (int) Math.min(fitting, rowsPerBlock);
    if (wantedRows > 0) {
      rows = Math.min(wantedRows, rowsPerBlock);
    }
    int copies = Math.clamp(fitting / rows, 1, lengths);
    memory.requireRoomFor(perRow * rows * copies);
    return new BatchSizes(rows, copies, perRow * rows * copies);
  }

  /** Returns half as many lengths at a time, or rows where there is one; nothing below one row. */
  public Optional<BatchSizes> smaller() {
    int fewerLengths = (lengths + 1) / 2;
    int fewerRows = lengths > 1 ? rows : (rows + 1) / 2;
    return rows == 1 && lengths == 1
        ? Optional.empty()
        : Optional.of(
            new BatchSizes(
                fewerRows, fewerLengths, bytes / rows / lengths * fewerRows * fewerLengths));
  }

  /** Returns about how many bytes of them are the clean run's: the stream where it is read. */
  public long cleanRun() {
    return bytes / lengths * STREAMS_OF_CLEAN_RUN / VECTORS_PER_POSITION;
  }
}
