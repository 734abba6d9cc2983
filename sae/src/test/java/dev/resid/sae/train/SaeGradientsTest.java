package dev.resid.sae.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Reference;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.reference.Float64Gpt2;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Losses against their formulas in float64, on a model of the float64 reference, and gradients
 * against differences of those losses.
 */
class SaeGradientsTest extends OnEachCpuBackend {
  private static final int WIDTH = 8;
  private static final int FEATURES = 12;
  private static final HookPoint POINT = HookPoint.residPre(1);
  private static final Gpt2Config MODEL = Gpt2Config.of(3, 2, WIDTH, 30, 12);
  private static final Gpt2Weights MODEL_WEIGHTS = SmallSaes.model(MODEL, 21);
  private static final Float64Gpt2 REFERENCE = Reference.of(MODEL_WEIGHTS);
  private static final TokenBatch ROWS = SmallSaes.tokens(5, 30, 7, 7);

  private enum Objective {
    LOCAL(SaeLoss.local(0.7)),
    END_TO_END(SaeLoss.endToEnd(0.7)),
    DOWNSTREAM(SaeLoss.downstream(POINT, 3, 0.7)),
    EVERY_TERM(
        new SaeLoss(0.3, 0.8, 1.5, List.of(HookPoint.residMid(1), HookPoint.residPost(2)), 0.7));

    private final SaeLoss loss;

    Objective(SaeLoss loss) {
      this.loss = loss;
    }
  }

  private static StepSums learn(ApolloLearner learner, Gpt2 gpt2, SaeLoss loss) {
    StepSums sums = new StepSums(ROWS.tokenCount());
    FeatureActivity activity =
        new FeatureActivity(learner.parameters().get(SaeWeight.b_enc).shape().last());
    if (loss.isLocal()) {
      learner.learn(gpt2.capture(ROWS, POINT.capture()).get(POINT), activity, sums);
    } else {
      learner.learn(new SplicedRun(gpt2, POINT, loss, ROWS, ROWS.tokenCount()), activity, sums);
    }
    learner.finishGradients();
    return sums;
  }

  @ParameterizedTest
  @EnumSource
  void lossAndGradientsAreThoseOfTheFormula(Objective objective) {
    Gpt2 gpt2 = Gpt2.of(MODEL_WEIGHTS, backend());
    Map<SaeWeight, Tensor> parameters = FormulaCheck.parameters(WIDTH, FEATURES);
    ApolloLearner learner = new ApolloLearner(backend(), parameters, objective.loss);
    StepSums seen = learn(learner, gpt2, objective.loss);
    ToDoubleFunction<Map<SaeWeight, double[]>> formula = p -> apollo(objective.loss, p);
    new FormulaCheck(backendName).compare(parameters, learner, seen, formula);
  }

  /** The formulas of the end-to-end paper in float64. */
  private static double apollo(SaeLoss loss, Map<SaeWeight, double[]> p) {
    double total = 0;
    double perToken = 1.0 / ROWS.tokenCount();
    for (int row = 0; row < ROWS.rows(); row++) {
      int[] ids = ROWS.row(row);
      Map<String, double[]> clean = REFERENCE.run(ids);
      double[] x = clean.get(POINT.name());
      double[] output = new double[x.length];
      for (int t = 0; t < ids.length; t++) {
        double[] out = p.get(SaeWeight.b_dec).clone();
        for (int i = 0; i < FEATURES; i++) {
          double pre = p.get(SaeWeight.b_enc)[i];
          double norm = 0;
          for (int c = 0; c < WIDTH; c++) {
            pre += x[t * WIDTH + c] * p.get(SaeWeight.W_enc)[c * FEATURES + i];
            norm += Math.pow(p.get(SaeWeight.W_dec)[i * WIDTH + c], 2);
          }
          double value = Math.max(pre, 0);
          total += loss.sparsity() * value / WIDTH * perToken;
          for (int c = 0; c < WIDTH; c++) {
            out[c] += value * p.get(SaeWeight.W_dec)[i * WIDTH + c] / Math.sqrt(norm);
          }
        }
        System.arraycopy(out, 0, output, t * WIDTH, WIDTH);
      }
      total += loss.reconstruction() * meanSquare(x, output) * ids.length * perToken;
      Map<String, double[]> spliced = REFERENCE.run(Map.of(POINT.name(), old -> output), ids);
      total += loss.kl() * kl(clean.get("logits"), spliced.get("logits")) * perToken;
      for (HookPoint later : loss.downstreamPoints()) {
        double each = loss.downstream() / loss.downstreamPoints().size();
        double error = meanSquare(clean.get(later.name()), spliced.get(later.name()));
        total += each * error * ids.length * perToken;
      }
    }
    return total;
  }

  private static double meanSquare(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return sum / a.length;
  }

  /** Σ over positions of KL(clean‖spliced). */
  private static double kl(double[] clean, double[] spliced) {
    double sum = 0;
    for (int from = 0; from < clean.length; from += MODEL.dVocab()) {
      double a = logSumExp(clean, from);
      double b = logSumExp(spliced, from);
      for (int v = from; v < from + MODEL.dVocab(); v++) {
        sum += Math.exp(clean[v] - a) * ((clean[v] - a) - (spliced[v] - b));
      }
    }
    return sum;
  }

  private static double logSumExp(double[] logits, int from) {
    double sum = 0;
    for (int v = from; v < from + MODEL.dVocab(); v++) {
      sum += Math.exp(logits[v]);
    }
    return Math.log(sum);
  }

  @Test
  void aLocalLossDoesNotSeeWhatComesAfterThePoint() {
    Map<Weight, Tensor> changed = new HashMap<>();
    for (Weight weight : Weight.all(MODEL)) {
      boolean absent =
          weight.name() == WeightNames.b_U
              || (weight.name() == WeightNames.W_U
                  && MODEL.embeddings() == Gpt2Config.Embeddings.TIED);
      if (!absent) {
        Tensor values = MODEL_WEIGHTS.get(weight);
        changed.put(weight, weight.layer() >= 1 ? values.times(1.5) : values);
      }
    }
    Gpt2 gpt2 = Gpt2.of(MODEL_WEIGHTS, backend());
    Gpt2 other = Gpt2.of(Gpt2Weights.of(MODEL, changed), backend());
    assertTrue(sameGradients(gpt2, other, SaeLoss.local(0.7)));
    assertFalse(sameGradients(gpt2, other, SaeLoss.endToEnd(0.7)));
  }

  private boolean sameGradients(Gpt2 gpt2, Gpt2 other, SaeLoss loss) {
    ApolloLearner a = new ApolloLearner(backend(), FormulaCheck.parameters(WIDTH, FEATURES), loss);
    ApolloLearner b = new ApolloLearner(backend(), FormulaCheck.parameters(WIDTH, FEATURES), loss);
    learn(a, gpt2, loss);
    learn(b, other, loss);
    return a.parameters()
        .gradient(SaeWeight.W_enc)
        .sameBits(b.parameters().gradient(SaeWeight.W_enc));
  }

  @Test
  void anIdentitySaeLosesOnlyItsSparsity() {
    Gpt2 gpt2 = Gpt2.of(MODEL_WEIGHTS, backend());
    Map<SaeWeight, Tensor> identity =
        new EnumMap<>(SmallSaes.identity(POINT, WIDTH, backend()).weights().tensors());
    for (SaeLoss loss : List.of(SaeLoss.endToEnd(0.7), SaeLoss.downstream(POINT, 3, 0.7))) {
      StepSums seen = learn(new ApolloLearner(backend(), identity, loss), gpt2, loss);
      assertEquals(0, seen.kl, 1e-6);
      assertEquals(0, seen.downstream, 1e-9);
      assertTrue(seen.sparsity > 0.1);
      assertEquals(0.7 * seen.sparsity, seen.loss, 1e-6);
      // S is the mean L1 norm of x, as ±I splits x by sign, over d_model.
      float[] x = gpt2.capture(ROWS, POINT.capture()).get(POINT).toArray();
      double l1 = 0;
      for (float value : x) {
        l1 += Math.abs(value);
      }
      assertEquals(l1 / ROWS.tokenCount() / WIDTH, seen.sparsity, 1e-6 * seen.sparsity);
    }
  }

  @Test
  void downstreamWeightsAddUp() {
    for (int layers = 3; layers < 8; layers++) {
      SaeLoss loss = SaeLoss.downstream(POINT, layers, 1);
      assertEquals(layers - 2, loss.downstreamPoints().size());
      assertEquals(HookPoint.residPre(2), loss.downstreamPoints().getFirst());
      assertEquals(HookPoint.residPre(layers - 1), loss.downstreamPoints().getLast());
      assertEquals(2.5, loss.downstream());
      assertEquals(0.5, loss.kl());
    }
  }

  @Test
  void theLengthOfDecoderRowsDoesNotMatter() {
    Gpt2 gpt2 = Gpt2.of(MODEL_WEIGHTS, backend());
    SaeLoss loss = SaeLoss.endToEnd(0.7);
    Map<SaeWeight, Tensor> parameters = FormulaCheck.parameters(WIDTH, FEATURES);
    ApolloLearner plain = new ApolloLearner(backend(), parameters, loss);
    parameters.computeIfPresent(SaeWeight.W_dec, (weight, rows) -> rows.times(8));
    ApolloLearner scaled = new ApolloLearner(backend(), parameters, loss);
    assertTrue(
        plain.published().get(SaeWeight.W_dec).sameBits(scaled.published().get(SaeWeight.W_dec)));
    assertEquals(learn(plain, gpt2, loss).loss, learn(scaled, gpt2, loss).loss);
    check("gradient of rows eight times as long")
        .sameBits(
            plain.parameters().gradient(SaeWeight.W_dec),
            scaled.parameters().gradient(SaeWeight.W_dec).times(8));
  }
}
