package dev.resid.experiments.sensitivity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Verdicts on results that are made so that the answer is known. */
class EarlyLayerTest {
  private static final double[] TWICE = {2, 2, 2, 2};

  private static List<Finding> findings(double inL2, double noise, double depth) {
    return new EarlyLayer(
            ExpectationsTest.result(SensitivityOptions.baselines(), TWICE, inL2, 1, noise), depth)
        .findings();
  }

  @Test
  void littleApartInL2HoldsWhereTheyAreSoWhateverKlIs() {
    Finding finding = findings(1.1, 0.05, 2.0 / 12).getFirst();
    assertEquals(Verdict.HOLDS, finding.verdict());
    assertTrue(finding.found().matches("Mean L2 is 1\\.(0[7-9]|1[0-3])\\d? .*"), finding.found());
    assertTrue(finding.detail().matches(".*in KL the factor is (1\\.9|2\\.0).*"), finding.detail());
  }

  @Test
  void farApartInL2DoesNotHold() {
    assertEquals(Verdict.DOES_NOT_HOLD, findings(1.5, 0.05, 0).getFirst().verdict());
  }

  @Test
  void aWideIntervalIsUndecided() {
    assertEquals(Verdict.UNDECIDED, findings(1.2, 0.5, 0.25).getFirst().verdict());
  }

  @Test
  void laterLayersHaveNoSuchFinding() {
    assertEquals(2, findings(1.1, 0.05, 0.25).size());
    assertEquals(List.of(), findings(1.1, 0.05, 0.5));
  }
}
