package dev.resid.experiments.direction;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.sweep.Workers;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Invariants T11, T13 and T34, and that a draw depends on nothing but seed, row and position. */
class DirectionTest {
  private static final int D = 24;
  private static final int POS = 9;
  private static final int ROWS = 7;
  private static final long SEED = 23;

  private final Tensor activation = activation(ROWS);
  private final BasePoints base = BasePoints.of(activation);
  private final ActivationPool pool = ActivationPool.of(base);

  private List<Direction> directions() {
    Covariance covariance = new Covariance(D);
    try (Workers workers = new Workers(1)) {
      covariance.add(activation.toArray(), 0, ROWS * POS, workers);
    }
    Gaussian gaussian = Gaussian.of(covariance, 0.01);
    return List.of(
        Direction.isotropic(),
        Direction.covRandomDifference(gaussian),
        Direction.covRandomMixture(gaussian),
        Direction.realDifference(pool),
        Direction.realMixture(pool),
        Direction.fixed(fixedVector()),
        Direction.own("turned", DirectionTest::turned));
  }

  /** A rule that uses all that a place has. */
  private static float[] turned(DirectionPlace place) {
    float[] vector = place.normals(D);
    float[] x = place.activation();
    for (int c = 0; c < D; c++) {
      vector[c] += (float) place.uniform(c) * x[D - 1 - c] + place.row() - place.pos();
    }
    return vector;
  }

  private Stream<DynamicTest> each(java.util.function.Consumer<Direction> check) {
    return directions().stream().map(d -> DynamicTest.dynamicTest(d.name(), () -> check.accept(d)));
  }

  @TestFactory
  Stream<DynamicTest> everyVectorHasUnitNorm() {
    return each(
        direction -> {
          float[] unit = draw(direction, base, 1).toArray();
          for (int i = 0; i < unit.length; i += D) {
            double square = 0;
            for (int c = 0; c < D; c++) {
              square += (double) unit[i + c] * unit[i + c];
            }
            assertEquals(1, Math.sqrt(square), 1e-6); // T11
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> theBatchDoesNotMatter() {
    return each(
        direction -> {
          Tensor whole = draw(direction, base, 1);
          for (int row = 0; row < ROWS; row++) {
            BasePoints alone =
                BasePoints.of(activation.slice(Axis.BATCH, row, row + 1), row, new int[] {POS});
            assertTrue(
                draw(direction, alone, 1).sameBits(whole.slice(Axis.BATCH, row, row + 1)),
                "row " + row);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> theNumberOfThreadsDoesNotMatter() {
    return each(
        direction -> assertTrue(draw(direction, base, 1).sameBits(draw(direction, base, 3))));
  }

  @TestFactory
  Stream<DynamicTest> aShorterRowHasTheSameDirectionsAndNoneInPadding() {
    return each(
        direction -> {
          int[] lengths = {POS, 4, POS, POS, 1, POS, POS};
          Tensor ragged = draw(direction, BasePoints.of(activation, 0, lengths), 1);
          Tensor full = draw(direction, base, 1);
          for (int row = 0; row < ROWS; row++) {
            for (int pos = 0; pos < POS; pos++) {
              for (int c = 0; c < D; c++) {
                float expected = pos < lengths[row] ? full.get(row, pos, c) : 0;
                assertEquals(expected, ragged.get(row, pos, c), 0f);
              }
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> theSeedMatters() {
    return each(
        direction -> {
          boolean same;
          try (Workers workers = new Workers(1)) {
            same =
                direction
                    .draw(SEED + 1, base, workers)
                    .sameBits(direction.draw(SEED, base, workers));
          }
          assertEquals(direction.name().equals("fixed"), same);
        });
  }

  @Test
  void kindsDoNotShareDraws() {
    // With a spherical distribution around x_base = 0 the kinds would coincide if they did.
    double[] identity = new double[D * D];
    for (int c = 0; c < D; c++) {
      identity[c * D + c] = 1;
    }
    Gaussian gaussian = Gaussian.of(new double[D], identity, 0);
    BasePoints zero = BasePoints.of(Tensor.zeros(activation.shape()));
    Tensor isotropic = draw(Direction.isotropic(), zero, 1);
    Tensor difference = draw(Direction.covRandomDifference(gaussian), zero, 1);
    Tensor mixture = draw(Direction.covRandomMixture(gaussian), zero, 1);
    assertAll(
        () -> assertFalse(isotropic.sameBits(difference)),
        () -> assertFalse(isotropic.sameBits(mixture)),
        () -> assertFalse(difference.sameBits(mixture)));
  }

  @Test
  void isotropicDirectionsHaveTheCosinesOfAUniformSphere() {
    int d = 768;
    int n = 4000;
    BasePoints wide =
        BasePoints.of(Tensor.zeros(Shape.of(Axis.BATCH, 1, Axis.POS, n, Axis.D_MODEL, d)));
    float[] unit = draw(Direction.isotropic(), wide, 1).toArray();
    double[] raw = UnitVectors.raw(Direction.isotropic(), new CounterRandom(SEED), wide, 0);
    double mean = 0;
    double meanAbs = 0;
    double meanSquare = 0;
    double neighbours = 0;
    double length = 0;
    double lengthSquare = 0;
    double fixed = 1 / Math.sqrt(d);
    for (int i = 0; i < n; i++) {
      double cos = 0;
      double square = 0;
      double next = 0;
      for (int c = 0; c < d; c++) {
        cos += unit[i * d + c] * (c % 2 == 0 ? fixed : -fixed);
        square += raw[i * d + c] * raw[i * d + c];
        next += i == 0 ? 0 : (double) unit[i * d + c] * unit[(i - 1) * d + c];
      }
      mean += cos / n;
      meanAbs += Math.abs(cos) / n;
      meanSquare += cos * cos / n;
      neighbours = Math.max(neighbours, Math.abs(next));
      length += Math.sqrt(square) / n;
      lengthSquare += square / n;
    }
    double error = 5 / Math.sqrt(n); // five standard errors, times the deviation of each quantity
    assertEquals(0, mean, 0.0361 * error);
    assertEquals(1.0 / d, meanSquare, Math.sqrt(2) / d * error);
    assertEquals(0.02879, meanAbs, 0.0361 * 0.603 * error);
    assertEquals(27.704, length, 0.707 * error);
    assertEquals(0.707, Math.sqrt(lengthSquare - length * length), 0.5 * error);
    assertTrue(neighbours < 6 * 0.0361, "nearly orthogonal, largest cosine " + neighbours);
  }

  @Test
  void aRealDifferenceEndsAtAnActivationOfThePool() {
    Tensor unit = draw(Direction.realDifference(pool), base, 1);
    CounterRandom random = new CounterRandom(SEED);
    for (int row = 0; row < ROWS; row++) {
      for (int pos = 0; pos < POS; pos++) {
        int i = UnitVectors.pickOne(pool, random, base, row, pos);
        double distance = 0;
        for (int c = 0; c < D; c++) {
          double delta = (double) pool.value(i, c) - base.value(row, pos, c);
          distance += delta * delta;
        }
        distance = Math.sqrt(distance);
        for (int c = 0; c < D; c++) {
          double end = base.value(row, pos, c) + distance * unit.get(row, pos, c);
          // one float rounding of a unit component, times the distance
          assertEquals(pool.value(i, c), end, distance * 1e-7);
        }
      }
    }
  }

  @Test
  void noDrawIsTheBasePointAndPairsDiffer() {
    CounterRandom random = new CounterRandom(SEED);
    Set<Integer> seen = new HashSet<>();
    for (int row = 0; row < ROWS; row++) {
      for (int pos = 0; pos < POS; pos++) {
        int one = UnitVectors.pickOne(pool, random, base, row, pos);
        int[] two = UnitVectors.pickTwo(pool, random, base, row, pos);
        assertFalse(pool.isFrom(one, row, pos));
        assertFalse(pool.isFrom(two[0], row, pos));
        assertFalse(pool.isFrom(two[1], row, pos));
        assertTrue(two[0] != two[1]);
        seen.add(one);
      }
    }
    assertTrue(seen.size() > pool.size() / 3, "draws spread over the pool: " + seen.size());
  }

  @Test
  void inAPoolOfTwoTheBasePointIsAlwaysAvoided() {
    // Rows 0 and 1 of two positions: each base point at position 1 can only meet the other one.
    Tensor two = activation.slice(Axis.BATCH, 0, 2).slice(Axis.POS, 0, 2);
    BasePoints small = BasePoints.of(two);
    ActivationPool tiny = ActivationPool.of(small);
    CounterRandom random = new CounterRandom(SEED);
    assertEquals(2, tiny.size());
    assertEquals(1, UnitVectors.pickOne(tiny, random, small, 0, 1));
    assertEquals(0, UnitVectors.pickOne(tiny, random, small, 1, 1));
    assertThrows(IllegalStateException.class, () -> UnitVectors.pickTwo(tiny, random, small, 0, 1));
  }

  @Test
  void equalActivationsAtDifferentPlacesAreNotPaired() {
    float[] values = activation.toArray();
    for (int row = 1; row < ROWS; row++) {
      System.arraycopy(values, D, values, (row * POS + 1) * D, D); // position 1 alike in all rows
    }
    Tensor alike = Tensor.wrap(activation.shape(), values).slice(Axis.POS, 0, 3);
    BasePoints points = BasePoints.of(alike);
    ActivationPool half = ActivationPool.of(points);
    CounterRandom random = new CounterRandom(SEED);
    for (int row = 0; row < ROWS; row++) {
      int one = UnitVectors.pickOne(half, random, points, row, 1);
      int[] two = UnitVectors.pickTwo(half, random, points, row, 0);
      assertEquals(2, half.position(one));
      assertTrue(half.distance(two[0], two[1]) > 0);
    }
  }

  @Test
  void aPoolLeavesOutTheFirstPosition() {
    assertEquals(ROWS * (POS - 1), pool.size());
    for (int i = 0; i < pool.size(); i++) {
      assertTrue(pool.position(i) > 0);
      assertTrue(
          pool.get(i)
              .sameBits(activation.at(Axis.BATCH, pool.row(i)).at(Axis.POS, pool.position(i))));
    }
  }

  @Test
  void anotherDimensionIsRefused() {
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> draw(Direction.fixed(1, 2), base, 1));
    assertTrue(error.getMessage().contains("dimension 2"), error.getMessage());
  }

  private static Tensor draw(Direction direction, BasePoints base, int threads) {
    try (Workers workers = new Workers(threads)) {
      return direction.draw(SEED, base, workers);
    }
  }

  private static float[] fixedVector() {
    float[] vector = new float[D];
    new CounterRandom(5).fillNormal(0, 0, vector);
    return vector;
  }

  private static Tensor activation(int rows) {
    float[] values = new float[rows * POS * D];
    new CounterRandom(99).fillNormal(0, 0, values);
    return Tensor.wrap(Shape.of(Axis.BATCH, rows, Axis.POS, POS, Axis.D_MODEL, D), values);
  }
}
