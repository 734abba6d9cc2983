package dev.resid.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CounterRandomTest {
  private static final long SEED = Long.getLong("resid.seed", 17);

  /** The known answers that the generator's authors publish for ten rounds. */
  @ParameterizedTest
  @CsvSource({
    "00000000 00000000 00000000 00000000, 00000000 00000000,"
        + " 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff, ffffffff ffffffff,"
        + " 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344, a4093822 299f31d0,"
        + " d16cfe09 94fdcceb 5001e420 24126ea1"
  })
  void blocksAreThePublishedKnownAnswers(String counter, String key, String answer) {
    int[] c = words(counter);
    int[] k = words(key);
    int[] block = new int[4];
    new CounterRandom(joined(k[0], k[1])).philox(joined(c[2], c[3]), c[1], c[0], block);
    assertArrayEquals(words(answer), block);
  }

  private static int[] words(String hex) {
    return Arrays.stream(hex.strip().split(" "))
        .mapToInt(word -> Integer.parseUnsignedInt(word, 16))
        .toArray();
  }

  private static long joined(int low, int high) {
    return (long) high << 32 | low & 0xFFFFFFFFL;
  }

  private static float[] normals(long seed, long stream, int substream, int count) {
    float[] values = new float[count];
    new CounterRandom(seed).fillNormal(stream, substream, values);
    return values;
  }

  @Test
  void sameKeyGivesTheSameDrawsInAnyOrderAndLength() {
    float[] all = normals(SEED, 3, 4, 101);
    for (int length : new int[] {1, 2, 7, 100}) {
      assertArrayEquals(Arrays.copyOf(all, length), normals(SEED, 3, 4, length));
    }
    float[] shifted = new float[110];
    new CounterRandom(SEED).fillNormal(3, 4, shifted, 9, 101);
    assertArrayEquals(all, Arrays.copyOfRange(shifted, 9, 110));
    for (int i = 0; i < 9; i++) {
      assertEquals(0, shifted[i], "what is before the range is left alone");
    }
  }

  @Test
  void everyPartOfTheKeyMatters() {
    float[] draws = normals(SEED, 3, 4, 8);
    assertTrue(!Arrays.equals(draws, normals(SEED + 1, 3, 4, 8)));
    assertTrue(!Arrays.equals(draws, normals(SEED + (1L << 32), 3, 4, 8)));
    assertTrue(!Arrays.equals(draws, normals(SEED, 2, 4, 8)));
    assertTrue(!Arrays.equals(draws, normals(SEED, 3 + (1L << 32), 4, 8)));
    assertTrue(!Arrays.equals(draws, normals(SEED, 3, 5, 8)));
  }

  /** Each bound is four standard deviations of the statistic over n independent draws. */
  @Test
  void normalDrawsHaveTheMomentsOfANormalDistribution() {
    int rows = 4000;
    int columns = 401;
    double n = (double) rows * columns;
    double[] moments = new double[5];
    double neighbours = 0;
    double nextRow = 0;
    int within = 0;
    float[] before = new float[columns];
    for (int row = 0; row < rows; row++) {
      float[] draws = normals(SEED, row, 7, columns);
      for (int i = 0; i < columns; i++) {
        for (int power = 1; power <= 4; power++) {
          moments[power] += Math.pow(draws[i], power) / n;
        }
        neighbours += i > 0 ? draws[i] * (double) draws[i - 1] / n : 0;
        nextRow += draws[i] * (double) before[i] / n;
        within += Math.abs(draws[i]) < 1 ? 1 : 0;
      }
      before = draws;
    }
    double unit = 4 / Math.sqrt(n);
    assertEquals(0, moments[1], unit);
    assertEquals(1, moments[2], unit * Math.sqrt(2));
    assertEquals(0, moments[3], unit * Math.sqrt(15));
    assertEquals(3, moments[4], unit * Math.sqrt(96));
    assertEquals(0, neighbours, unit);
    assertEquals(0, nextRow, unit);
    assertEquals(0.6826895, within / n, unit * Math.sqrt(0.68 * 0.32));
  }

  @Test
  void uniformDrawsFillTheUnitIntervalEvenly() {
    int n = 100_000;
    int[] counts = new int[100];
    CounterRandom random = new CounterRandom(SEED);
    for (int i = 0; i < n; i++) {
      double u = random.uniform(5, 6, i);
      assertTrue(u >= 0 && u < 1);
      counts[(int) (u * counts.length)]++;
    }
    double chiSquare = 0;
    for (int count : counts) {
      chiSquare += Math.pow(count - n / 100.0, 2) / (n / 100.0);
    }
    // 99 degrees of freedom: mean 99, standard deviation 14.
    assertEquals(99, chiSquare, 70);
  }

  @Test
  void integersStayBelowTheirBoundAndReachEveryValue() {
    CounterRandom random = new CounterRandom(SEED);
    int[] counts = new int[7];
    for (int i = 0; i < 7000; i++) {
      counts[random.below(7, 1, 2, i)]++;
    }
    for (int count : counts) {
      assertEquals(1000, count, 5 * Math.sqrt(1000));
    }
    assertEquals(0, random.below(1, 1, 2, 3));
    assertThrows(IllegalArgumentException.class, () -> random.below(0, 1, 2, 3));
  }

  @Test
  void permutationsHoldEachNumberOnceAndPutItAnywhere() {
    CounterRandom random = new CounterRandom(SEED);
    int[][] places = new int[5][5];
    int draws = 5000;
    for (int stream = 0; stream < draws; stream++) {
      int[] order = random.permutation(5, stream, 0);
      int[] sorted = order.clone();
      Arrays.sort(sorted);
      assertArrayEquals(new int[] {0, 1, 2, 3, 4}, sorted);
      for (int i = 0; i < 5; i++) {
        places[i][order[i]]++;
      }
    }
    for (int[] row : places) {
      for (int count : row) {
        assertEquals(draws / 5.0, count, 5 * Math.sqrt(draws * 0.2 * 0.8));
      }
    }
    assertArrayEquals(new int[0], random.permutation(0, 1, 2));
  }
}
