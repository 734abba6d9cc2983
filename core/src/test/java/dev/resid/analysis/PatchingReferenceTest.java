package dev.resid.analysis;

import static dev.resid.analysis.AnalysisCases.FORWARD;
import static dev.resid.analysis.AnalysisCases.allowed;
import static dev.resid.analysis.AnalysisCases.corrupted;
import static dev.resid.analysis.AnalysisCases.difference;
import static dev.resid.analysis.AnalysisCases.ids;
import static dev.resid.analysis.AnalysisCases.points;
import static dev.resid.analysis.AnalysisCases.readout;
import static dev.resid.analysis.AnalysisCases.runs;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.analysis.ActivationPatching.Patch;
import dev.resid.hook.At;
import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Intervention;
import dev.resid.hook.Site;
import dev.resid.model.BaseRun;
import dev.resid.model.Gpt2;
import dev.resid.model.ModelCase;
import dev.resid.model.Reference;
import dev.resid.reference.Float64Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Patching and attribution against runs of the float64 model. */
class PatchingReferenceTest extends OnEachCpuBackend {
  /** Of gradients, which amplify the errors of small layer-norm scales. */
  private static final double GRADIENT = 2e-4;

  /** Half the step of a central difference along a patch: its error is about 1e-8. */
  private static final double STEP = 1e-4;

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#tiny")
  void patchingChangesOneActivation(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    Gpt2 gpt2 = c.on(backend());
    TokenBatch corrupted = corrupted(c);
    List<Map<String, double[]>> donors = runs(c, reference);
    for (HookPoint point : points(c)) {
      boolean heads = point.site() == Site.Z;
      List<Patch> patches =
          heads
              ? ActivationPatching.everyPositionAndHead(corrupted, c.config().nHeads())
              : ActivationPatching.everyPosition(corrupted);
      var clean = gpt2.capture(c.tokens(), point.capture());
      double[][] got =
          new ActivationPatching(gpt2, corrupted, clean, readout(c, gpt2), 4)
              .run(point, patches, done -> {});
      for (int i = 0; i < patches.size(); i++) {
        for (int row = 0; row < corrupted.rows(); row++) {
          Patch patch = patches.get(i);
          int[] ids = corrupted.row(row);
          double[] donor = donors.get(row).get(point.name());
          double want =
              patch.position() >= ids.length
                  ? difference(c, reference, row, ids, Map.of())
                  : difference(
                      c, reference, row, ids, Map.of(point.name(), mix(c, point, patch, donor, 1)));
          assertEquals(
              want, got[i][row], allowed(FORWARD, want), c + " " + point + " " + patch + " " + row);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#tiny")
  void attributionIsTheSlopeTowardsThePatch(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    Gpt2 gpt2 = c.on(backend());
    TokenBatch corrupted = corrupted(c);
    List<Map<String, double[]>> donors = runs(c, reference);
    Attribution found = Attribution.of(gpt2, corrupted, c.tokens(), readout(c, gpt2), points(c));
    for (HookPoint point : points(c)) {
      for (int row = 0; row < corrupted.rows(); row++) {
        int[] ids = corrupted.row(row);
        double[] donor = donors.get(row).get(point.name());
        int heads = point.site() == Site.Z ? c.config().nHeads() : 1;
        for (int pos = 0; pos < ids.length; pos++) {
          double sum = 0;
          for (int head = 0; head < heads; head++) {
            Patch patch = new Patch(pos, heads == 1 ? -1 : head);
            double up =
                difference(
                    c,
                    reference,
                    row,
                    ids,
                    Map.of(point.name(), mix(c, point, patch, donor, STEP)));
            double down =
                difference(
                    c,
                    reference,
                    row,
                    ids,
                    Map.of(point.name(), mix(c, point, patch, donor, -STEP)));
            double want = (up - down) / (2 * STEP);
            sum += want;
            assertEquals(
                want,
                found.at(point, row, pos, head),
                allowed(GRADIENT, want),
                c + " " + point + " row " + row + " " + patch);
          }
          assertEquals(sum, found.at(point, row, pos), heads * allowed(GRADIENT, sum));
        }
      }
    }
  }

  /** Returns the change that moves an activation by a part of the way to the donor's. */
  private static UnaryOperator<double[]> mix(
      ModelCase c, HookPoint point, Patch patch, double[] donor, double part) {
    int heads = point.site() == Site.Z ? c.config().nHeads() : 1;
    int width = c.config().dModel() / heads;
    return x -> {
      for (int i = 0; i < x.length; i++) {
        boolean here =
            i / width / heads == patch.position()
                && (patch.head() < 0 || i / width % heads == patch.head());
        x[i] += here ? part * (donor[i] - x[i]) : 0;
      }
      return x;
    };
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void patchesTogetherAreTheBitsOfPatchesAlone(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    HookPoint point = HookPoint.z(c.config().nLayers() - 1);
    List<Patch> patches = ActivationPatching.everyPositionAndHead(c.tokens(), c.config().nHeads());
    var clean = gpt2.capture(c.tokens(), point.capture());
    double[][] first = null;
    for (int together : new int[] {1, 3, 1000}) {
      double[][] got =
          new ActivationPatching(gpt2, corrupted(c), clean, readout(c, gpt2), together)
              .run(point, patches, done -> {});
      first = first == null ? got : first;
      assertArrayEquals(first, got, c + ", " + together + " together");
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void patchingEverythingGivesTheCleanRun(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    HookPoint point = HookPoint.residPre(0);
    var clean = gpt2.capture(c.tokens(), point.capture());
    double[][] got =
        new ActivationPatching(gpt2, corrupted(c), clean, readout(c, gpt2), 2)
            .run(point, List.of(new Patch(-1, -1)), done -> {});
    assertArrayEquals(readout(c, gpt2).of(gpt2, c.tokens()), got[0], c.toString());
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void aMetricIsGivenTheLogitsOfThePatchedRuns(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    HookPoint point = HookPoint.residPre(1);
    TokenBatch corrupted = corrupted(c);
    var clean = gpt2.capture(c.tokens(), point.capture());
    Tensor donor = clean.get(point);
    List<Patch> patches = ActivationPatching.everyPosition(corrupted);
    int vocabulary = c.config().dVocab();
    LogitsMetric metric =
        (row, logits) -> logits[row % vocabulary] - 2 * logits[(row + 1) % vocabulary];
    double[][] got =
        new ActivationPatching(gpt2, corrupted, clean, metric, 3).run(point, patches, done -> {});
    for (Patch patch : patches) {
      Intervention put = (x, at) -> donor;
      Hook hook = point.replace(put.onlyAt(Axis.POS, patch.position()));
      Tensor logits = gpt2.forward(corrupted, hook).logits();
      for (int row = 0; row < corrupted.rows(); row++) {
        Tensor last = logits.at(Axis.BATCH, row).at(Axis.POS, corrupted.length(row) - 1);
        double want = metric.of(row, last.toArray());
        assertEquals(
            want, got[patch.position()][row], allowed(FORWARD, want), c + " " + patch + " " + row);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void aRunContinuesWithAnInterventionAsWithItsResult(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    HookPoint point = HookPoint.z(1);
    Intervention silence = Ablation.zeroAt(Axis.HEAD, c.config().nHeads() - 1);
    try (BaseRun base = gpt2.baseRun(c.tokens(), point)) {
      double kl = base.continueWith(silence).meanKlNats();
      Tensor silenced = silence.apply(base.activation(), new At(point, 0));
      assertEquals(base.continueWith(silenced).meanKlNats(), kl);
      assertTrue(kl > 0, "the head does something");
    }
  }
}
