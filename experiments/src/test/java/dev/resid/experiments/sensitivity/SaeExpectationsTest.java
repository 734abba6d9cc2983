package dev.resid.experiments.sensitivity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.SaeDirectionKind;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.sensitivity.RowColumns.Metric;
import dev.resid.experiments.sensitivity.SaeGroup.Member;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.random.CounterRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class SaeExpectationsTest {
  private static final int ROWS = 40;

  /** With a mean distance of 100 two are short and two are long. */
  private static final double[] LENGTHS = {10, 50, 90, 120};

  private static final List<SaeGroup> GROUPS =
      List.of(
          new SaeGroup(SaeGroup.LOCAL, List.of(new Member("l", 10))),
          new SaeGroup(SaeGroup.E2E, List.of(new Member("e", 10))),
          new SaeGroup(SaeGroup.DOWNSTREAM, List.of(new Member("d", 10))));

  @Test
  void curvesThatShootUpAreThose() {
    DoubleUnaryOperator steep = a -> Math.pow(a / 100, 6);
    assertEquals(Verdict.HOLDS, shooting(findings(steep, a -> 1), "e2e"));
    assertEquals(Verdict.DOES_NOT_HOLD, shooting(findings(a -> a, a -> 1), "e2e"));
    assertEquals(Verdict.HOLDS, shooting(findings(steep, a -> 1), "downstream"));
    assertTrue(
        findings(steep, a -> 1).stream()
            .noneMatch(f -> f.expected().contains("local SAEs stay near")),
        "the source says so of the others");
  }

  private static Verdict shooting(List<Finding> findings, String family) {
    return findings.stream()
        .filter(f -> f.expected().contains("directions of " + family + " SAEs stay near 0"))
        .findFirst()
        .orElseThrow()
        .verdict();
  }

  @Test
  void aGapClosesWhereItIsSmallerAtLongLengths() {
    assertEquals(Verdict.HOLDS, gap(a -> a < 60 ? 0.5 : 0.95).verdict());
    assertEquals(Verdict.DOES_NOT_HOLD, gap(a -> a < 60 ? 0.9 : 0.4).verdict());
    assertEquals(Verdict.UNDECIDED, gap(a -> 0.5).verdict());
    Finding closing = gap(a -> a < 60 ? 0.5 : 0.95);
    assertTrue(closing.found().matches(".* is (1\\.9|2\\.0).* and 1\\.0.*"), closing.found());
  }

  private static Finding gap(DoubleUnaryOperator downstream) {
    return findings(a -> a, downstream).stream()
        .filter(f -> f.expected().contains("closes at long lengths"))
        .findFirst()
        .orElseThrow();
  }

  /** KL of errors by length, and of downstream features as a part of the others'. */
  private static List<Finding> findings(DoubleUnaryOperator error, DoubleUnaryOperator downstream) {
    List<SweptDirection> kinds = new ArrayList<>(List.of(Baselines.ISOTROPIC));
    for (SaeGroup group : GROUPS) {
      kinds.add(group.members().getFirst().direction(SaeDirectionKind.ERROR));
      kinds.add(group.members().getFirst().direction(SaeDirectionKind.FEATURE));
    }
    RowColumns columns = new RowColumns(kinds.size(), LENGTHS.length);
    RowValues values = new RowValues(ROWS, columns.count());
    CounterRandom random = new CounterRandom(12);
    for (int row = 0; row < ROWS; row++) {
      double[] numbers = new double[columns.count()];
      for (int k = 0; k < kinds.size(); k++) {
        numbers[columns.firstCount(k)] = 1;
        numbers[columns.restCount(k)] = 10;
        for (int l = 0; l < LENGTHS.length; l++) {
          double kl =
              switch (kinds.get(k).kindName()) {
                case "sae-error" -> error.applyAsDouble(LENGTHS[l]);
                case "sae-feature" ->
                    kinds.get(k).saeName().equals("d") ? downstream.applyAsDouble(LENGTHS[l]) : 1;
                default -> LENGTHS[l];
              };
          float[] noise = new float[1];
          random.fillNormal(row, k * LENGTHS.length + l, noise);
          kl *= Math.exp(0.05 * noise[0]);
          for (Metric metric : Metric.values()) {
            numbers[columns.first(k, l, metric)] = kl;
            numbers[columns.rest(k, l, metric)] = 10 * kl;
          }
        }
      }
      values.set(row, numbers);
    }
    try (Workers workers = new Workers(1)) {
      return new SaeExpectations(
              SensitivityResult.of(
                  kinds, LENGTHS, new Moved.All(), values, new Bootstrap(200, 1), workers),
              100,
              GROUPS)
          .findings();
    }
  }
}
