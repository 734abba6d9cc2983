package dev.resid.experiments.plateau;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.random.CounterRandom;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** T20: curves whose steps were computed by an independent implementation of the definitions. */
class StepStatisticsTest {
  private static final double LEAST_SLOPE = 0.02;
  private static final double THRESHOLD = 20;

  @Test
  void aStraightLineBeginsToRiseAtOnce() {
    check(n -> 2 * n, 0, 10, 100, 5);
  }

  @Test
  void powersAreSteepestAtTheirEnd() {
    check(n -> n * n / 10.0, 99, 15, 10, 5);
    check(n -> (double) n * n * n / 1000, 99, 28, 9, 5);
  }

  @Test
  void aLogisticBlowsUpInItsMiddle() {
    IntToDoubleFunction curve =
        n -> 200 / (1 + Math.exp(-(n - 50) / 3.0)) - 200 / (1 + Math.exp(50 / 3.0));
    double[] y = values(curve);
    // The slopes into 50 and into 51 are equal in exact arithmetic.
    int steepest = StepStatistics.maxSlope(y, LEAST_SLOPE);
    assertTrue(steepest == 50 || steepest == 51, "MS " + steepest);
    check(curve, steepest, 44, 9, 45);
  }

  @Test
  void aLogisticOnALineBlowsUpInItsMiddle() {
    IntToDoubleFunction curve =
        n -> n / 2.0 + 150 / (1 + Math.exp(-(n - 60) / 2.0)) - 150 / (1 + Math.exp(30));
    int steepest = StepStatistics.maxSlope(values(curve), LEAST_SLOPE);
    assertTrue(steepest == 60 || steepest == 61, "MS " + steepest);
    check(curve, steepest, 40, 53, 63);
  }

  @Test
  void aJumpIsFoundByAll() {
    check(n -> 0.3 * n + (n >= 40 ? 100 : 0), 40, 40, 39, 40);
  }

  @Test
  void whatHardlyRisesHasNoStep() {
    check(n -> 0, 99, 100, 100, 5);
    check(n -> 0.01 * n, 99, 100, 100, 5);
  }

  @Test
  void draftsNameOneStepLowerAndTheFirstPointThatIsOff() {
    checkDraft(n -> 2 * n, 0, 100);
    // 1.00 against 0.90 on the line at point 10, where 20 % would allow it.
    checkDraft(n -> n * n / 10.0, 98, 10);
    checkDraft(n -> 0.3 * n + (n >= 40 ? 100 : 0), 39, 40);
    checkDraft(n -> 0, 0, 100);
    checkDraft(n -> 0.01 * n, 0, 100);
    assertEquals(99, StepStatistics.draftMaxSlope(new double[] {3}));
  }

  private static void checkDraft(IntToDoubleFunction curve, int ms, int nl) {
    // Slopes of a straight line differ by rounding; 2⁻³² is far above that.
    double[] y = Arrays.stream(values(curve)).map(v -> Math.round(v * 0x1p32) / 0x1p32).toArray();
    assertEquals(ms, StepStatistics.draftMaxSlope(y), "MS");
    assertEquals(nl, StepStatistics.draftNonLinearity(y), "NL");
  }

  @Test
  void shortCurvesHaveSteps() {
    assertEquals(99, StepStatistics.maxSlope(new double[] {3}, LEAST_SLOPE));
    assertEquals(0, StepStatistics.maxSlope(new double[] {3, 4}, LEAST_SLOPE));
    assertEquals(100, StepStatistics.activationPlateau(new double[0], THRESHOLD));
    assertEquals(5, StepStatistics.triangleArea(new double[] {0, 1, 9, 9, 9, 9}));
    assertEquals(7, StepStatistics.nonLinearity(new double[] {0, 1, 9, 9, 9, 9, 50}));
  }

  /** T22 of the definitions. */
  @Test
  void kolmogorovAndSmirnovsDistanceKnowsItsEnds() {
    double[] sample = {3, 1, 4, 1, 5, 9};
    assertEquals(0, KolmogorovSmirnov.statistic(sample, sample));
    assertEquals(1, KolmogorovSmirnov.statistic(sample, new double[] {10, 12}));
    assertThrows(
        IllegalArgumentException.class, () -> KolmogorovSmirnov.statistic(sample, new double[0]));
  }

  /** T22 of the definitions. */
  @Test
  void kolmogorovAndSmirnovsDistanceIsThatOfAPlainSearch() {
    CounterRandom random = new CounterRandom(8);
    for (int round = 0; round < 50; round++) {
      double[] one = draws(random, round, 0, 7);
      double[] other = draws(random, round, 1, 11);
      double expected = 0;
      for (double x = 0; x <= 12; x++) {
        double at = x;
        double below = IntStream.range(0, 7).filter(i -> one[i] <= at).count() / 7.0;
        double otherBelow = IntStream.range(0, 11).filter(i -> other[i] <= at).count() / 11.0;
        expected = Math.max(expected, Math.abs(below - otherBelow));
      }
      assertEquals(expected, KolmogorovSmirnov.statistic(one, other), 1e-15, "round " + round);
      assertEquals(expected, KolmogorovSmirnov.statistic(other, one), 1e-15, "symmetric");
      assertEquals(
          expected, KolmogorovSmirnov.ofCounts(counts(one), counts(other)), 1e-12, "counts");
    }
  }

  private static double[] draws(CounterRandom random, int round, int sample, int n) {
    return IntStream.range(0, n).mapToDouble(i -> random.below(13, round, sample, i)).toArray();
  }

  private static double[] counts(double[] sample) {
    double[] counts = new double[13];
    for (double x : sample) {
      counts[(int) x]++;
    }
    return counts;
  }

  private static void check(IntToDoubleFunction curve, int ms, int ap, int nl, int auc) {
    double[] y = values(curve);
    assertEquals(ms, StepStatistics.maxSlope(y, LEAST_SLOPE), "MS");
    assertEquals(ap, StepStatistics.activationPlateau(y, THRESHOLD), "AP");
    assertEquals(nl, StepStatistics.nonLinearity(y), "NL");
    assertEquals(auc, StepStatistics.triangleArea(y), "AUC");
  }

  private static double[] values(IntToDoubleFunction curve) {
    return IntStream.range(0, 100).mapToDouble(curve).toArray();
  }
}
