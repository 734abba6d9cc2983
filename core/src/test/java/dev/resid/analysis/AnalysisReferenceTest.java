package dev.resid.analysis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.analysis.ActivationPatching.Patch;
import dev.resid.analysis.ResidualStack.Split;
import dev.resid.analysis.ResidualStack.Term;
import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.model.ModelCase;
import dev.resid.model.Reference;
import dev.resid.reference.Float64Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The analyses against the float64 reference, which changes one activation of one row at a time and
 * computes everything after it.
 *
 * <p>Errors are parts of the largest readout of a case, at least of 1. Over 32 seeds and both
 * backends all of them stay below a tenth of what is allowed here.
 */
class AnalysisReferenceTest extends OnEachCpuBackend {
  /** Of values that went through a forward pass in float32. */
  private static final double FORWARD = 5e-5;

  /** Of gradients, which amplify the errors of small layer-norm scales. */
  private static final double GRADIENT = 2e-4;

  /** Half the step of a central difference along a patch: its error is about 1e-8. */
  private static final double STEP = 1e-4;

  private static int[] ids(ModelCase c, long salt) {
    return new SplittableRandom(c.seed() + salt)
        .ints(c.tokens().rows(), 0, c.config().dVocab())
        .toArray();
  }

  /** Returns other rows of the same lengths. */
  private static TokenBatch corrupted(ModelCase c) {
    SplittableRandom random = new SplittableRandom(c.seed() + 7);
    List<int[]> rows = new ArrayList<>();
    for (int row = 0; row < c.tokens().rows(); row++) {
      rows.add(random.ints(c.tokens().length(row), 0, c.config().dVocab()).toArray());
    }
    return TokenBatch.of(rows);
  }

  private static double difference(
      ModelCase c,
      Float64Gpt2 reference,
      int row,
      int[] ids,
      Map<String, UnaryOperator<double[]>> changes) {
    double[] logits = reference.run(changes, ids).get("logits");
    int at = (ids.length - 1) * c.config().dVocab();
    return logits[at + ids(c, 1)[row]] - logits[at + ids(c, 2)[row]];
  }

  /** Returns the reference's runs of the clean rows. */
  private static List<Map<String, double[]>> runs(ModelCase c, Float64Gpt2 reference) {
    List<Map<String, double[]>> runs = new ArrayList<>();
    for (int row = 0; row < c.tokens().rows(); row++) {
      runs.add(reference.run(c.tokens().row(row)));
    }
    return runs;
  }

  private static LogitReadout readout(ModelCase c, Gpt2 gpt2) {
    return LogitReadout.differences(gpt2, ids(c, 1), ids(c, 2));
  }

  private static double allowed(double error, double scale) {
    return error * Math.max(1, Math.abs(scale));
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void readoutsAreLogits(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    Gpt2 gpt2 = c.on(backend());
    double[] differences = readout(c, gpt2).of(gpt2, c.tokens());
    double[] logits = LogitReadout.logits(gpt2, ids(c, 1)).of(gpt2, c.tokens());
    for (int row = 0; row < c.tokens().rows(); row++) {
      int[] ids = c.tokens().row(row);
      double want = difference(c, reference, row, ids, Map.of());
      assertEquals(want, differences[row], allowed(FORWARD, want), c + " row " + row);
      double[] all = reference.run(ids).get("logits");
      double one = all[(ids.length - 1) * c.config().dVocab() + ids(c, 1)[row]];
      assertEquals(one, logits[row], allowed(FORWARD, one), c + " row " + row);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void contributionsOfEveryTermAgreeAndAddUp(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    Gpt2 gpt2 = c.on(backend());
    for (Split split : Split.values()) {
      ResidualStack stack = ResidualStack.of(gpt2, c.tokens(), split);
      DirectLogitAttribution found = DirectLogitAttribution.of(stack, readout(c, gpt2));
      for (int row = 0; row < c.tokens().rows(); row++) {
        int[] ids = c.tokens().row(row);
        Map<String, double[]> clean = reference.run(ids);
        double total = difference(c, reference, row, ids, Map.of());
        double scale = 0;
        for (int t = 0; t < found.names().size(); t++) {
          double want =
              contribution(c, reference, clean, found.names().get(t), row, ids.length - 1);
          double got = found.atLast(t)[row];
          scale = Math.max(scale, Math.abs(want));
          assertEquals(want, got, allowed(FORWARD, want), c + " " + found.names().get(t));
        }
        assertEquals(
            total, found.sum(row, ids.length - 1), allowed(FORWARD, scale), c + " sum of " + split);
      }
    }
  }

  /** Returns Σ (x − mean)/scale·γ·(W_U[answer] − W_U[against]) of a term of the reference's run. */
  private static double contribution(
      ModelCase c,
      Float64Gpt2 reference,
      Map<String, double[]> clean,
      String name,
      int row,
      int pos) {
    int width = c.config().dModel();
    double[] x = new double[width];
    for (int i = 0; i < width; i++) {
      x[i] = term(c, reference, clean, name, pos, i);
    }
    double mean = Arrays.stream(x).average().orElseThrow();
    double[] unembedding =
        reference.weights().getOrDefault("unembed.W_U", reference.weights().get("embed.W_E"));
    double sum = 0;
    for (int i = 0; i < width; i++) {
      double direction =
          unembedding[ids(c, 1)[row] * width + i] - unembedding[ids(c, 2)[row] * width + i];
      sum += (x[i] - mean) * reference.weights().get("ln_final.w")[i] * direction;
    }
    return sum / clean.get("ln_final.hook_scale")[pos];
  }

  private static double term(
      ModelCase c,
      Float64Gpt2 reference,
      Map<String, double[]> clean,
      String name,
      int pos,
      int i) {
    int width = c.config().dModel();
    if (name.equals("bias")) {
      double sum = 0;
      for (int layer = 0; layer < c.config().nLayers(); layer++) {
        sum += reference.weights().get("blocks." + layer + ".attn.b_O")[i];
      }
      return sum;
    }
    if (name.startsWith("L")) {
      int layer = Integer.parseInt(name.substring(1, name.indexOf('H')));
      int head = Integer.parseInt(name.substring(name.indexOf('H') + 1));
      double[] result = clean.get("blocks." + layer + ".attn.hook_result");
      return result[(pos * c.config().nHeads() + head) * width + i];
    }
    String point =
        name.contains("embed") ? "hook_" + name : "blocks." + name.replaceFirst("_", ".hook_");
    return clean.get(point)[pos * width + i];
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void termsAddUpToTheStream(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    for (Split split : Split.values()) {
      ResidualStack stack = ResidualStack.of(gpt2, c.tokens(), split);
      for (int row = 0; row < c.tokens().rows(); row++) {
        Tensor sum = null;
        for (Term term : stack.terms()) {
          Tensor one = Reference.rowOf(term.values(), row, c.tokens().length(row));
          sum = sum == null ? one : sum.plus(one);
        }
        Tensor last = Reference.rowOf(stack.last(), row, c.tokens().length(row));
        double[] want = Reference.doubles(last);
        check(c + " " + split, c.seed())
            .close(want, sum, Tolerance.within(2e-5 * Math.max(1, Reference.largest(want)), 0));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#tiny")
  void logitLensIsTheRunThatEndsEarlier(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    Gpt2 gpt2 = c.on(backend());
    String last = HookPoint.residPost(c.config().nLayers() - 1).name();
    try (LogitLens lens = LogitLens.of(gpt2, c.tokens())) {
      for (HookPoint point : lens.points()) {
        Tensor own = lens.at(point).logits();
        Tensor held = lens.logitsWithFinalScale(point);
        double[][] readouts = lens.readout(point, readout(c, gpt2));
        for (int row = 0; row < c.tokens().rows(); row++) {
          int[] ids = c.tokens().row(row);
          Map<String, double[]> clean = reference.run(ids);
          UnaryOperator<double[]> earlier = x -> clean.get(point.name()).clone();
          double[] want = reference.run(Map.of(last, earlier), ids).get("logits");
          double bound = allowed(FORWARD, Reference.largest(want));
          check(c + " lens at " + point, c.seed())
              .close(want, Reference.rowOf(own, row, ids.length), Tolerance.within(bound, 0));
          UnaryOperator<double[]> scale = x -> clean.get("ln_final.hook_scale").clone();
          double[] wantHeld =
              reference.run(Map.of(last, earlier, "ln_final.hook_scale", scale), ids).get("logits");
          check(c + " lens with the final scale at " + point, c.seed())
              .close(
                  wantHeld,
                  Reference.rowOf(held, row, ids.length),
                  Tolerance.within(allowed(FORWARD, Reference.largest(wantHeld)), 0));
          for (int pos = 0; pos < ids.length; pos++) {
            int at = pos * c.config().dVocab();
            assertEquals(
                want[at + ids(c, 1)[row]] - want[at + ids(c, 2)[row]],
                readouts[row][pos],
                2 * bound,
                c + " readout at " + point);
          }
        }
      }
    }
  }

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

  private static List<HookPoint> points(ModelCase c) {
    List<HookPoint> points = new ArrayList<>();
    for (int layer = 0; layer < c.config().nLayers(); layer++) {
      for (Site site : List.of(Site.RESID_PRE, Site.Z, Site.ATTN_OUT, Site.MLP_OUT)) {
        points.add(HookPoint.at(site, layer));
      }
    }
    return points;
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
  void meansLeaveOutWhatIsPastARowsEnd(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    Gpt2 gpt2 = c.on(backend());
    HookPoint point = HookPoint.mlpOut(0);
    Tensor activation = gpt2.capture(c.tokens(), new Capture[] {point.capture()}).get(point);
    int width = c.config().dModel();
    double[] mean = new double[width];
    double[] byPosition = new double[c.tokens().maxLength() * width];
    int[] counts = new int[c.tokens().maxLength()];
    for (int row = 0; row < c.tokens().rows(); row++) {
      double[] values = reference.run(c.tokens().row(row)).get(point.name());
      for (int i = 0; i < values.length; i++) {
        mean[i % width] += values[i] / c.tokens().tokenCount();
        byPosition[i] += values[i];
        counts[i / width] += i % width == 0 ? 1 : 0;
      }
    }
    for (int i = 0; i < byPosition.length; i++) {
      byPosition[i] /= counts[i / width];
    }
    Tolerance tolerance = Tolerance.within(allowed(FORWARD, Reference.largest(byPosition)), 0);
    check(c + " mean", c.seed()).close(mean, Ablation.mean(activation, c.tokens()), tolerance);
    check(c + " mean by position", c.seed())
        .close(byPosition, Ablation.meanByPosition(activation, c.tokens()), tolerance);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void withoutItsInputTheModelPredictsOneThing(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    for (int layer = 0; layer < c.config().nLayers(); layer++) {
      Tensor logits =
          gpt2.forward(c.tokens(), HookPoint.residPre(layer).replace(Ablation.zero())).logits();
      Tensor first = logits.at(Axis.BATCH, 0).at(Axis.POS, 0);
      double[] want = Reference.doubles(first);
      for (int row = 0; row < c.tokens().rows(); row++) {
        for (int pos = 0; pos < c.tokens().length(row); pos++) {
          // T8. Sums over a different number of equal keys round differently.
          check(c + " layer " + layer + " row " + row + " pos " + pos, c.seed())
              .close(
                  want,
                  logits.at(Axis.BATCH, row).at(Axis.POS, pos),
                  Tolerance.within(allowed(2e-5, Reference.largest(want)), 0));
        }
      }
    }
  }
}
