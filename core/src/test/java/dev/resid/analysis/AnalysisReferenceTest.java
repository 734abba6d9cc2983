package dev.resid.analysis;

import static dev.resid.analysis.AnalysisCases.FORWARD;
import static dev.resid.analysis.AnalysisCases.allowed;
import static dev.resid.analysis.AnalysisCases.difference;
import static dev.resid.analysis.AnalysisCases.ids;
import static dev.resid.analysis.AnalysisCases.readout;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.analysis.ResidualStack.Split;
import dev.resid.analysis.ResidualStack.Term;
import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.ModelCase;
import dev.resid.model.Reference;
import dev.resid.reference.Float64Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Tolerance;
import java.util.Arrays;
import java.util.Map;
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
