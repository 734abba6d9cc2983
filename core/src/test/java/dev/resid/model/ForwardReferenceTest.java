package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.reference.Distributions;
import dev.resid.reference.Float64Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The forward pass against the float64 reference: every activation of random small models. */
class ForwardReferenceTest extends OnEachCpuBackend {
  /**
   * Error allowed, as a part of the largest value of the activation. The largest seen over 24 seeds
   * and both backends is 3.3e-6, in a model of width 3, whose layer norms magnify most.
   */
  private static final double ERROR = 2e-5;

  private static Tolerance tolerance(double[] expected) {
    return Tolerance.within(ERROR * Math.max(1, Reference.largest(expected)), 0);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void everyActivationAgrees(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    ForwardResult run =
        c.on(backend())
            .forward(
                c.tokens(),
                Reference.points(c.config()).stream()
                    .map(HookPoint::capture)
                    .toArray(Capture[]::new));
    for (int row = 0; row < c.tokens().rows(); row++) {
      Map<String, double[]> expected = reference.run(c.tokens().row(row));
      int length = c.tokens().length(row);
      for (HookPoint point : Reference.points(c.config())) {
        double[] want = expected.get(point.name());
        Tensor got = Reference.rowOf(run.cache().get(point), row, length);
        check("row " + row + " " + point, c.seed()).close(want, got, tolerance(want));
      }
      double[] logits = expected.get("logits");
      check("row " + row + " logits", c.seed())
          .close(logits, Reference.rowOf(run.logits(), row, length), tolerance(logits));
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void crossEntropyAgrees(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    PositionValues nats = c.on(backend()).crossEntropyNats(c.tokens());
    double sum = 0;
    int count = 0;
    for (int row = 0; row < c.tokens().rows(); row++) {
      int[] ids = c.tokens().row(row);
      double[] logits = reference.run(ids).get("logits");
      double[] want = Float64Gpt2.crossEntropies(logits, ids);
      assertEquals(ids.length - 1, nats.length(row), c::toString);
      check("row " + row + " cross-entropy", c.seed())
          .close(Reference.numbers(want.length), want, nats.row(row), tolerance(logits));
      for (double value : want) {
        sum += value;
        count++;
      }
    }
    assertEquals(sum / count, nats.mean(), ERROR, c::toString);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void klAndL2OfAChangedStreamAgree(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    TokenBatch tokens = c.tokens();
    HookPoint point = HookPoint.residPre(1);
    HookPoint last = HookPoint.residPost(c.config().nLayers() - 1);
    int width = c.config().dModel();
    int vocabulary = c.config().dVocab();
    try (BaseRun base = c.on(backend()).baseRun(tokens, point)) {
      Tensor noise = c.noise(base.activation().shape(), 0.5);
      Continuation changed = base.continueWith(base.activation().plus(noise));
      for (int row = 0; row < tokens.rows(); row++) {
        int length = tokens.length(row);
        double[] added = Reference.doubles(Reference.rowOf(noise, row, length));
        Map<String, double[]> clean = reference.run(tokens.row(row));
        Map<String, double[]> other =
            reference.run(Map.of(point.name(), x -> plus(x, added)), tokens.row(row));
        double[] kl = new double[length];
        double[] l2 = new double[length];
        for (int pos = 0; pos < length; pos++) {
          kl[pos] =
              Distributions.kl(
                  Float64Gpt2.part(clean.get("logits"), pos, vocabulary),
                  Float64Gpt2.part(other.get("logits"), pos, vocabulary));
          l2[pos] =
              Distributions.distance(
                  Float64Gpt2.part(clean.get(last.name()), pos, width),
                  Float64Gpt2.part(other.get(last.name()), pos, width));
        }
        check("row " + row + " KL", c.seed())
            .close(
                Reference.numbers(length),
                kl,
                changed.klNats().row(row),
                tolerance(other.get("logits")));
        check("row " + row + " L2", c.seed())
            .close(
                Reference.numbers(length),
                l2,
                changed.l2At(last).row(row),
                tolerance(other.get(last.name())));
      }
    }
  }

  private static double[] plus(double[] a, double[] b) {
    for (int i = 0; i < a.length; i++) {
      a[i] += b[i];
    }
    return a;
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void rewrittenWeightsGiveTheLogitsOfTheReference(ModelCase c) {
    Gpt2Weights rewritten = WeightTransforms.transformerLens().apply(c.weights());
    Float64Gpt2 reference = Reference.of(rewritten);
    Tensor logits = Gpt2.of(rewritten, backend()).forward(c.tokens()).logits();
    for (int row = 0; row < c.tokens().rows(); row++) {
      int length = c.tokens().length(row);
      double[] want = reference.run(c.tokens().row(row)).get("logits");
      check("row " + row + " logits", c.seed())
          .close(
              want,
              logits.slice(Axis.BATCH, row, row + 1).slice(Axis.POS, 0, length),
              tolerance(want));
    }
  }
}
