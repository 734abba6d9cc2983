package dev.resid.experiments.plateau;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.plateau.Curve.Role;
import dev.resid.experiments.plateau.CurveColumns.Metric;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.random.CounterRandom;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Verdicts on results that are made so that the answer is known. */
class PlateauClaimsTest {
  private static final int PROMPTS = 150;
  private static final Scale.Values SCALE = new Scale.Values(0.5, 20, 0.02, 37, 3);

  /** As in the publication: step of the blow-up by kind. */
  private static final Map<TargetKind, Double> PUBLISHED =
      Map.of(
          TargetKind.MODEL_GENERATED, 50.0,
          TargetKind.RANDOM, 65.0,
          TargetKind.SAE_RECONSTRUCTION, 51.0,
          TargetKind.SINGLE_FEATURE, 53.0,
          TargetKind.BAG_OF_FEATURES, 56.0,
          TargetKind.SYNTHETIC_BASELINE, 60.0,
          TargetKind.SYNTHETIC_STRUCTURED, 55.0);

  @Test
  void thePublishedPictureHolds() {
    List<Finding> findings = findings(PUBLISHED, 7, 25, 8);
    assertTrue(findings.size() > 20, findings.size() + " findings");
    for (Finding finding : findings) {
      // Logistic curves are bent from their 10th point on, wherever they blow up.
      if (!finding.expected().contains("non-linearity") && !finding.expected().contains("area")) {
        assertEquals(Verdict.HOLDS, finding.verdict(), finding.expected() + finding.found());
      }
    }
  }

  @Test
  void theOppositeDoesNotHold() {
    Map<TargetKind, Double> opposite =
        Map.of(TargetKind.MODEL_GENERATED, 60.0, TargetKind.RANDOM, 40.0);
    assertEquals(Verdict.DOES_NOT_HOLD, one(findings(opposite, 2, 5, 9), "max-slope step of L2"));
    assertEquals(Verdict.DOES_NOT_HOLD, one(findings(opposite, 2, 5, 9), "The plateau around"));
  }

  @Test
  void noDifferenceIsLeftOpen() {
    Map<TargetKind, Double> equal =
        Map.of(TargetKind.MODEL_GENERATED, 50.0, TargetKind.RANDOM, 50.0);
    assertEquals(Verdict.UNDECIDED, one(findings(equal, 12, 9, 9), "max-slope step of L2"));
    assertEquals(Verdict.UNDECIDED, one(findings(equal, 12, 9, 9), "The plateau around"));
  }

  @Test
  void whatRisesAtOnceHasNoPlateau() {
    Map<TargetKind, Double> early = Map.of(TargetKind.MODEL_GENERATED, 4.0, TargetKind.RANDOM, 5.0);
    assertEquals(Verdict.DOES_NOT_HOLD, one(findings(early, 1, 9, 9), "(plateau)"));
  }

  private static Verdict one(List<Finding> findings, String part) {
    return findings.stream()
        .filter(finding -> finding.expected().contains(part))
        .findFirst()
        .orElseThrow()
        .verdict();
  }

  /** Logistic curves with their middle at a step of the kind, and plateaus that end at one. */
  private static List<Finding> findings(
      Map<TargetKind, Double> middles, double noise, double realPlateau, double otherPlateau) {
    List<TargetKind> kinds = middles.keySet().stream().sorted().toList();
    List<Curve> curves = Curve.all(kinds, List.of(Regime.values()), kinds);
    CurveColumns columns = new CurveColumns(curves, StepKind.USUAL);
    RowValues values = new RowValues(PROMPTS, columns.count());
    CounterRandom random = new CounterRandom(31);
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      double[] numbers = new double[columns.count()];
      for (Curve curve : curves) {
        float[] draw = new float[2];
        random.fillNormal(prompt, curves.indexOf(curve), draw);
        numbers[columns.distance(curve)] = 49;
        double middle =
            curve.role() == Role.TARGET
                ? middles.get(curve.kind())
                : curve.kind() == TargetKind.MODEL_GENERATED ? realPlateau : otherPlateau;
        double at = middle + noise * draw[0];
        for (int n = 0; n < Regime.POINTS; n++) {
          double part = 1 / (1 + Math.exp((at - n) / 2)) - 1 / (1 + Math.exp(at / 2));
          numbers[columns.point(curve, Metric.L2, n)] = 200 * part;
          if (curve.hasPrediction()) {
            numbers[columns.point(curve, Metric.KL, n)] = 10 * part;
          }
        }
      }
      values.set(prompt, numbers);
    }
    try (Workers workers = new Workers(1)) {
      return new PlateauClaims(
              new PlateauResult(
                  columns, StepKind.USUAL, values, SCALE, new Bootstrap(200, 1), workers))
          .findings();
    }
  }
}
