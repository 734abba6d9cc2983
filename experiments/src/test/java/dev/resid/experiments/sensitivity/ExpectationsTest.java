package dev.resid.experiments.sensitivity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.sensitivity.RowColumns.Metric;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.random.CounterRandom;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Verdicts on results that are made so that the answer is known. */
class ExpectationsTest {
  private static final double[] LENGTHS = {1, 2, 10, 20};
  private static final int ROWS = 40;

  @Test
  void aClearOrderHolds() {
    Finding finding = difference(factor(2, 2, 2, 2), 0.1);
    assertEquals(Verdict.HOLDS, finding.verdict());
    assertTrue(finding.found().matches(".* is (1\\.9|2\\.0).*"), finding.found());
    assertTrue(finding.detail().contains("above at 4 of 4"), finding.detail());
  }

  @Test
  void theOppositeOrderDoesNotHold() {
    assertEquals(Verdict.DOES_NOT_HOLD, difference(factor(.5, .5, .5, .5), 0.1).verdict());
  }

  @Test
  void noiseIsUndecided() {
    assertEquals(Verdict.UNDECIDED, difference(factor(1, 1, 1, 1), 0.5).verdict());
  }

  @Test
  void anOrderThatTurnsRoundHoldsInPart() {
    Finding finding = difference(factor(0.5, 3, 3, 3), 0.05);
    assertEquals(Verdict.PARTLY, finding.verdict());
    assertTrue(finding.detail().contains("below at α = 1."), finding.detail());
  }

  @Test
  void aboutEqualNeedsANarrowInterval() {
    assertEquals(Verdict.HOLDS, mixtures(1.05, 0.05).verdict());
    assertEquals(Verdict.DOES_NOT_HOLD, mixtures(2, 0.05).verdict());
    assertEquals(Verdict.UNDECIDED, mixtures(1.2, 0.5).verdict());
  }

  @Test
  void exponentsAreFound() {
    List<Finding> findings = findings(factor(2, 2, 2, 2), 1, 0.01);
    Finding l2 = findings.get(findings.size() - 2);
    Finding kl = findings.getLast();
    assertEquals(Verdict.HOLDS, l2.verdict());
    assertTrue(l2.found().contains("isotropic 1.000"), l2.found());
    assertEquals(Verdict.HOLDS, kl.verdict());
    assertTrue(kl.found().contains("isotropic 2.000"), kl.found());
  }

  @Test
  void directionsThatWereNotMeasuredHaveNoFinding() {
    List<Finding> findings =
        new Expectations(result(List.of(Baselines.ISOTROPIC), factor(1, 1, 1, 1), 1, 0.1), 15)
            .findings();
    assertEquals(0, findings.size(), "too few small lengths, no pairs: " + findings);
  }

  private static double[] factor(double... factors) {
    return factors;
  }

  private static Finding difference(double[] factors, double noise) {
    return findings(factors, 1, noise).getFirst();
  }

  private static Finding mixtures(double factor, double noise) {
    return findings(factor(1, 1, 1, 1), factor, noise).get(3);
  }

  private static List<Finding> findings(double[] differences, double realMixture, double noise) {
    SensitivityResult result =
        result(SensitivityOptions.baselines(), differences, realMixture, noise);
    // A mean distance of 100, so that lengths 1 and 2 are small.
    return new Expectations(result, 100).findings();
  }

  /** KL α², times factors for cov-random differences and real mixtures; L2 α; noise by row. */
  private static SensitivityResult result(
      List<SweptDirection> kinds, double[] differences, double realMixture, double noise) {
    return result(kinds, differences, 1, realMixture, noise);
  }

  /** As above, with L2 times a factor for cov-random differences. */
  static SensitivityResult result(
      List<SweptDirection> kinds,
      double[] differences,
      double differencesInL2,
      double realMixture,
      double noise) {
    RowColumns columns = new RowColumns(kinds.size(), LENGTHS.length);
    RowValues values = new RowValues(ROWS, columns.count());
    CounterRandom random = new CounterRandom(12);
    for (int row = 0; row < ROWS; row++) {
      double[] numbers = new double[columns.count()];
      for (int k = 0; k < kinds.size(); k++) {
        numbers[columns.firstCount(k)] = 1;
        numbers[columns.restCount(k)] = 10;
        float[] draw = new float[2];
        random.fillNormal(row, k, draw);
        for (int l = 0; l < LENGTHS.length; l++) {
          double factor =
              switch (kinds.get(k).kindName()) {
                case "cov-random-difference" -> differences[l];
                case "real-mixture" -> realMixture;
                default -> 1;
              };
          double kl = factor * LENGTHS[l] * LENGTHS[l] * Math.exp(noise * draw[0]);
          boolean difference = kinds.get(k).kindName().equals("cov-random-difference");
          double l2 = (difference ? differencesInL2 : 1) * LENGTHS[l] * Math.exp(noise * draw[1]);
          numbers[columns.first(k, l, Metric.KL)] = kl;
          numbers[columns.rest(k, l, Metric.KL)] = 10 * kl;
          numbers[columns.first(k, l, Metric.L2)] = l2;
          numbers[columns.rest(k, l, Metric.L2)] = 10 * l2;
        }
      }
      values.set(row, numbers);
    }
    try (Workers workers = new Workers(1)) {
      return SensitivityResult.of(
          kinds, LENGTHS, new Moved.All(), values, new Bootstrap(300, 1), workers);
    }
  }
}
