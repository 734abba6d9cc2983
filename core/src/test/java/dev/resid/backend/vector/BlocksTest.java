package dev.resid.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a product is split among threads. */
class BlocksTest {
  private static final int[][] SHAPES = {
    {1, 768, 50},
    {17, 768, 768},
    {128, 768, 768},
    {128, 3072, 768},
    {400, 768, 1000},
    {2048, 768, 3072},
    {2048, 3072, 768},
    {100, 64, 1}
  };

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 16})
  void everyOutputIsComputedOnce(int threads) {
    for (int[] shape : SHAPES) {
      once(Blocks.of(shape[0], shape[1], shape[2], threads), shape);
      once(Blocks.even(shape[0], shape[1], shape[2], threads), shape);
    }
  }

  @Test
  void fewRowsAreSplitByColumnsUntilThreadsEndTogether() {
    for (int threads : new int[] {2, 3, 4}) {
      int[] columns = columnsOfTasks(Blocks.even(128, 768, 768, threads));
      int largest = Arrays.stream(columns).max().orElseThrow();
      assertTrue(
          largest * 3 * threads <= 768,
          () -> threads + " threads get columns " + Arrays.toString(columns));
    }
    assertEquals(3, Blocks.of(128, 768, 768, 2).tasks());
  }

  @Test
  void manyRowsKeepTheWidestGroups() {
    Blocks blocks = Blocks.even(2048, 768, 3072, 2);
    assertEquals(BlockProduct.WIDTH, blocks.groupColumns());
  }

  @Test
  void groupsOfTermsInPartsAreWider() {
    Blocks blocks = Blocks.even(2048, 3072, 768, 2);
    assertEquals(BlockProduct.WIDTH_IN_PARTS, blocks.groupColumns());
    assertEquals(BlockProduct.WIDTH, Blocks.of(2048, 3072, 768, 2).groupColumns());
  }

  private static int widest(int terms) {
    return terms > BlockProduct.DEPTH ? BlockProduct.WIDTH_IN_PARTS : BlockProduct.WIDTH;
  }

  private static int[] columnsOfTasks(Blocks blocks) {
    int[] columns = new int[blocks.tasks()];
    for (int task = 0; task < columns.length; task++) {
      columns[task] = blocks.columnCount(task);
    }
    return columns;
  }

  private static void once(Blocks blocks, int[] shape) {
    int[] times = new int[shape[0] * shape[2]];
    for (int task = 0; task < blocks.tasks(); task++) {
      blocks.run(
          task,
          null,
          (row, count, column, n, scratch) -> {
            assertTrue(n <= widest(shape[1]));
            assertEquals(0, column % MicroKernel.COLUMNS);
            assertEquals(0, row % MicroKernel.ROWS);
            for (int r = row; r < row + count; r++) {
              for (int j = column; j < column + n; j++) {
                times[r * shape[2] + j]++;
              }
            }
          });
    }
    assertTrue(Arrays.stream(times).allMatch(t -> t == 1));
  }
}
