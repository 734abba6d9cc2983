package dev.resid.sae.dictionary;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.random.CounterRandom;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MaxCosineSimilarityTest extends OnEachCpuBackend {
  private static final int WIDTH = 16;

  /** Directions are rounded to float32. */
  private static final double ROUNDING = 1e-6;

  private static Dictionary dictionary(int size, long seed) {
    return dictionary(SmallSaes.normal(seed, 0, size * WIDTH, 3), WIDTH);
  }

  private static Dictionary dictionary(float[] rows, int width) {
    return Dictionary.of(
        Tensor.wrap(Shape.of(Axis.ROW, rows.length / width, Axis.IN, width), rows));
  }

  @Test
  void aDictionaryMatchesItself() {
    Dictionary a = dictionary(300, 1);
    for (Matches matches :
        new Matches[] {
          MaxCosineSimilarity.plain(a, a, backend()), MaxCosineSimilarity.oneToOne(a, a, backend())
        }) {
      assertArrayEquals(matches.features(), matches.partners());
      for (double cosine : matches.cosines()) {
        assertEquals(1, cosine, ROUNDING);
      }
      assertEquals(1, matches.mean(), ROUNDING);
      assertEquals(300, matches.countAbove(0.9));
    }
  }

  @Test
  void ofEqualDirectionsTheFirstIsThePartner() {
    Dictionary a = dictionary(new float[] {3, 4, -4, 3}, 2);
    Dictionary b = dictionary(new float[] {0, 1, 3, 4, 3, 4, -4, 3, -4, 3}, 2);
    assertArrayEquals(new int[] {1, 3}, MaxCosineSimilarity.plain(a, b, backend()).partners());
  }

  @Test
  void thePermutationOfACopyIsRecovered() {
    Dictionary a = dictionary(120, 2);
    int[] order = new CounterRandom(5).permutation(120, 0, 0);
    float[] rows = new float[120 * WIDTH];
    for (int i = 0; i < order.length; i++) {
      // Scaled too: only directions count.
      float[] direction = a.direction(order[i]);
      for (int c = 0; c < WIDTH; c++) {
        rows[i * WIDTH + c] = direction[c] * (i + 1);
      }
    }
    Dictionary copy = dictionary(rows, WIDTH);
    Matches matches = MaxCosineSimilarity.oneToOne(copy, a, backend());
    assertArrayEquals(order, matches.partners());
    assertEquals(1, matches.mean(), ROUNDING);
  }

  @Test
  void anAssignmentNeverBeatsThePlainMaximumAndGivesEachItsOwn() {
    Dictionary a = dictionary(60, 3);
    Dictionary b = dictionary(90, 4);
    Matches plain = MaxCosineSimilarity.plain(a, b, backend());
    Matches assigned = MaxCosineSimilarity.oneToOne(a, b, backend());
    for (int i = 0; i < 60; i++) {
      assertTrue(assigned.cosines()[i] <= plain.cosines()[i] + ROUNDING, "direction " + i);
      double largest = -2;
      for (int j = 0; j < 90; j++) {
        largest = Math.max(largest, a.cosine(i, b, j));
      }
      assertEquals(largest, plain.cosines()[i], ROUNDING);
    }
    assertEquals(60, IntStream.of(assigned.partners()).distinct().count());
  }

  @Test
  void rotatingBothChangesNothing() {
    Dictionary a = dictionary(50, 6);
    Dictionary b = dictionary(70, 7);
    double angle = 0.7;
    Matches before = MaxCosineSimilarity.plain(a, b, backend());
    Matches after = MaxCosineSimilarity.plain(rotated(a, angle), rotated(b, angle), backend());
    assertArrayEquals(before.cosines(), after.cosines(), ROUNDING);
    assertArrayEquals(before.partners(), after.partners());
  }

  /** Rotates every pair of neighbouring components by an angle of its own. */
  private static Dictionary rotated(Dictionary dictionary, double angle) {
    float[] rows = new float[dictionary.size() * WIDTH];
    for (int i = 0; i < dictionary.size(); i++) {
      float[] d = dictionary.direction(i);
      for (int c = 0; c < WIDTH; c += 2) {
        double cos = Math.cos(angle * (c + 1));
        double sin = Math.sin(angle * (c + 1));
        rows[i * WIDTH + c] = (float) (cos * d[c] - sin * d[c + 1]);
        rows[i * WIDTH + c + 1] = (float) (sin * d[c] + cos * d[c + 1]);
      }
    }
    return dictionary(rows, WIDTH);
  }

  @Test
  void withinADictionaryNothingMatchesItselfAndSignsAreKept() {
    Dictionary a = dictionary(new float[] {1, 0, -1, 0, 0.6f, 0.8f}, 2);
    Matches within = MaxCosineSimilarity.within(a, backend());
    assertArrayEquals(new int[] {2, 2, 0}, within.partners());
    assertArrayEquals(new double[] {0.6, -0.6, 0.6}, within.cosines(), ROUNDING);
  }

  @Test
  void onlyAliveFeaturesAreMatchedUnderTheirNumbers() {
    Dictionary a = dictionary(10, 8);
    Matches matches = MaxCosineSimilarity.plain(a.only(7, 3), a.only(3, 4, 7), backend());
    assertArrayEquals(new int[] {7, 3}, matches.features());
    assertArrayEquals(new int[] {7, 3}, matches.partners());
  }

  @Test
  void descendingPutsTheLargestFirst() {
    Matches matches =
        new Matches(new int[] {1, 2, 3}, new int[] {4, 5, 6}, new double[] {0.1, 0.9, 0.5})
            .descending();
    assertArrayEquals(new int[] {2, 3, 1}, matches.features());
    assertArrayEquals(new int[] {5, 6, 4}, matches.partners());
    assertArrayEquals(new double[] {0.9, 0.5, 0.1}, matches.cosines());
  }

  @Test
  void theNearestAreThoseOfASortedList() {
    Dictionary a = dictionary(40, 9);
    var nearest = MaxCosineSimilarity.nearest(a, 11, 5);
    double[] all =
        IntStream.range(0, 40)
            .filter(i -> i != 11)
            .mapToDouble(i -> -a.cosine(11, a, i))
            .sorted()
            .toArray();
    for (int i = 0; i < 5; i++) {
      assertEquals(-all[i], nearest.get(i).cosine());
      assertEquals(nearest.get(i).cosine(), a.cosine(11, a, nearest.get(i).feature()));
    }
  }

  @Test
  void dictionariesThatDoNotFitAreRefused() {
    Dictionary a = dictionary(4, 1);
    Dictionary other = dictionary(new float[6], 3);
    assertThrows(
        IllegalArgumentException.class, () -> MaxCosineSimilarity.plain(a, other, backend()));
    assertThrows(
        IllegalArgumentException.class,
        () -> MaxCosineSimilarity.oneToOne(a, a.only(1, 2), backend()));
    assertThrows(
        IllegalArgumentException.class, () -> MaxCosineSimilarity.within(a.only(1), backend()));
  }

  @Test
  void assignmentsAreTheCheapestOfAll() {
    for (int trial = 0; trial < 200; trial++) {
      CounterRandom random = new CounterRandom(trial);
      int rows = 1 + random.below(5, 0, 0, 0);
      int columns = rows + random.below(3, 0, 0, 1);
      float[][] cost = new float[rows][columns];
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          // Small whole numbers give many ties; some costs are negative.
          cost[r][c] = random.below(trial % 2 == 0 ? 7 : 1000, 1, r, c) - 2;
        }
      }
      int[] columnOf = Assignment.cheapest(cost);
      double sum = 0;
      for (int r = 0; r < rows; r++) {
        sum += cost[r][columnOf[r]];
      }
      assertEquals(rows, Arrays.stream(columnOf).distinct().count(), "trial " + trial);
      assertEquals(cheapest(cost, 0, new boolean[columns]), sum, "trial " + trial);
    }
  }

  private static double cheapest(float[][] cost, int row, boolean[] used) {
    if (row == cost.length) {
      return 0;
    }
    double best = Double.POSITIVE_INFINITY;
    for (int c = 0; c < used.length; c++) {
      if (!used[c]) {
        used[c] = true;
        best = Math.min(best, cost[row][c] + cheapest(cost, row + 1, used));
        used[c] = false;
      }
    }
    return best;
  }
}
