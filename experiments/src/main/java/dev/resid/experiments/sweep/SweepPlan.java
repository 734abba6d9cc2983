package dev.resid.experiments.sweep;

import java.util.stream.IntStream;

/**
 * How the rows of a sweep are cut into blocks. The block is the unit that is written down, resumed
 * and given to a shard; results of a row never depend on the block it is in.
 *
 * @param rows rows of tokens in the whole run
 * @param rowsPerBlock rows in every block but perhaps the last
 * @param valuesPerRow numbers that come out of one row
 * @param shard which blocks this process works on
 * @param settings text of everything that the numbers depend on; blocks of runs with other settings
 *     are never mixed
 */
public record SweepPlan(
    int rows, int rowsPerBlock, int valuesPerRow, Shard shard, String settings) {
  /** Checks the ranges. */
  public SweepPlan {
    if (rows < 1 || rowsPerBlock < 1 || valuesPerRow < 1) {
      throw new IllegalArgumentException(
          "a sweep needs at least one row, one row a block and one value a row, got "
              + rows
              + ", "
              + rowsPerBlock
              + " and "
              + valuesPerRow);
    }
  }

  /** Returns the number of blocks of the whole run. */
  public int blocks() {
    return (rows - 1) / rowsPerBlock + 1;
  }

  /** Returns the rows of a block. */
  public RowRange block(int block) {
    int from = Math.multiplyExact(block, rowsPerBlock);
    return new RowRange(from, Math.min(rows, from + rowsPerBlock));
  }

  /** Returns the numbers of the blocks of this shard, ascending. */
  public int[] ownBlocks() {
    return IntStream.range(0, blocks()).filter(shard::has).toArray();
  }

  /** Returns the number of rows in the blocks of this shard. */
  public int ownRows() {
    return IntStream.of(ownBlocks()).map(block -> block(block).size()).sum();
  }
}
