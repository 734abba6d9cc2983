package dev.resid.sae.metric;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightTransforms;
import dev.resid.model.WeightsState;
import dev.resid.sae.Sae;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Backend;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SaeEvaluatorTest extends OnEachCpuBackend {
  private static final HookPoint POINT = HookPoint.residPre(1);

  static final int WIDTH = 8;

  static final TokenBatch TOKENS = SmallSaes.tokens(7, 30, 12, 9, 12, 3, 5, 12);

  /** Against float64 on the same float32 activations and logits, whose rounding is all there is. */
  private static final double CLOSE = 1e-5;

  private Gpt2 model(Backend on) {
    return Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), on);
  }

  private SaeReport report(Sae sae) {
    return new SaeEvaluator(model(backend()), sae).report(TOKENS);
  }

  @Test
  void everyMetricIsWhatItsDefinitionSays() {
    Gpt2 gpt2 = model(backend());
    Sae sae = SmallSaes.random(POINT, WIDTH, 20, 5, backend());
    SaeReport report = new SaeEvaluator(gpt2, sae).report(TOKENS);
    for (TokenScope scope : TokenScope.values()) {
      PlainMetrics expected = new PlainMetrics(gpt2, sae, scope);
      for (SaeMetric metric : SaeMetric.values()) {
        double value = expected.of(metric);
        assertEquals(
            value,
            report.get(metric, scope),
            CLOSE * (1 + Math.abs(value)),
            metric + " over " + scope);
      }
      assertArrayEquals(expected.frequencies, report.frequencies(scope), 1e-15);
    }
  }

  /** Also where a clean run cannot be continued: every point that published SAEs use. */
  @Test
  void anSaeIsJudgedAtEveryPointThatPublishedOnesUse() {
    Gpt2 gpt2 = model(backend());
    for (Site site :
        List.of(
            Site.RESID_MID,
            Site.RESID_POST,
            Site.ATTN_OUT,
            Site.MLP_OUT,
            Site.Z,
            Site.MLP_PRE,
            Site.MLP_POST,
            Site.LN1_NORMALIZED,
            Site.LN2_NORMALIZED)) {
      HookPoint point = HookPoint.at(site, 0);
      boolean wide = site == Site.MLP_PRE || site == Site.MLP_POST;
      int width = wide ? SmallSaes.MODEL.dMlp() : WIDTH;
      Sae sae = SmallSaes.random(point, width, 20, 5, backend());
      SaeReport report = new SaeEvaluator(gpt2, sae).report(TOKENS);
      PlainMetrics expected = new PlainMetrics(gpt2, sae, TokenScope.ALL);
      for (SaeMetric metric :
          List.of(SaeMetric.CE_INCREASE, SaeMetric.CE_RECOVERED_MEAN_ABLATION, SaeMetric.L0)) {
        double value = expected.of(metric);
        assertEquals(
            value,
            report.get(metric, TokenScope.ALL),
            CLOSE * (1 + Math.abs(value)),
            metric + " at " + point);
      }
      assertTrue(Math.abs(report.get(SaeMetric.CE_INCREASE, TokenScope.ALL)) > 1e-4, point.name());
    }
  }

  @Test
  void anIdentitySaeLosesNothing() {
    SaeReport report = report(SmallSaes.identity(POINT, WIDTH, backend()));
    for (TokenScope scope : TokenScope.values()) {
      assertEquals(0, report.get(SaeMetric.SQUARED_ERROR, scope));
      assertEquals(0, report.get(SaeMetric.CE_INCREASE, scope));
      assertEquals(1, report.get(SaeMetric.CE_RECOVERED_ZERO_ABLATION, scope));
      assertEquals(1, report.get(SaeMetric.CE_RECOVERED_MEAN_ABLATION, scope));
      assertEquals(1, report.get(SaeMetric.EXPLAINED_VARIANCE, scope));
      assertEquals(WIDTH, report.get(SaeMetric.L0, scope));
      assertEquals(1, report.get(SaeMetric.KL_RECOVERED_ZERO_ABLATION, scope), 1e-9);
    }
    assertEquals(1, report.meanEncoderDecoderCosine().orElseThrow(), 1e-12);
  }

  @Test
  void anSaeOfZerosRecoversNothing() {
    SaeReport report = report(SmallSaes.constant(POINT, new float[WIDTH], backend()));
    for (TokenScope scope : TokenScope.values()) {
      assertEquals(0, report.get(SaeMetric.CE_RECOVERED_ZERO_ABLATION, scope));
      assertEquals(0, report.get(SaeMetric.KL_RECOVERED_ZERO_ABLATION, scope));
      assertEquals(0, report.get(SaeMetric.L0, scope));
      assertEquals(3, report.get(SaeMetric.DEAD_FEATURES, scope));
      assertTrue(report.find(SaeMetric.COSINE, scope).isEmpty(), "a cosine with 0");
    }
  }

  @Test
  void predictingTheMeanExplainsNoVariance() {
    Gpt2 gpt2 = model(backend());
    Sae any = SmallSaes.random(POINT, WIDTH, 5, 1, backend());
    ActivationMeans means = new SaeEvaluator(gpt2, any).means(TOKENS);
    for (TokenScope scope : TokenScope.values()) {
      float[] bias = new float[WIDTH];
      for (int c = 0; c < WIDTH; c++) {
        bias[c] = (float) means.mean(scope)[c];
      }
      SaeReport report = report(SmallSaes.constant(POINT, bias, backend()));
      assertEquals(0, report.get(SaeMetric.EXPLAINED_VARIANCE, scope), 1e-6);
      assertEquals(0, report.get(SaeMetric.EXPLAINED_VARIANCE_POOLED, scope), 1e-6);
      if (scope == TokenScope.ALL) {
        assertEquals(0, report.get(SaeMetric.CE_RECOVERED_MEAN_ABLATION, scope));
      }
    }
  }

  @Test
  void lossRecoveredIgnoresAConstantInAllLosses() {
    assertEquals(SaeMetric.lossRecovered(3, 4, 11), SaeMetric.lossRecovered(3.5, 4.5, 11.5), 1e-15);
    assertEquals(0.875, SaeMetric.lossRecovered(3, 4, 11));
  }

  @Test
  void batchSizeAndThreadsChangeNoBit() {
    Sae sae = SmallSaes.random(POINT, WIDTH, 20, 5, backend());
    Gpt2 gpt2 = model(backend());
    ActivationMeans means = new SaeEvaluator(gpt2, sae).means(TOKENS);
    double[] whole = new SaeEvaluator(gpt2, sae).sums(TOKENS, means).toArray();
    for (int rows : new int[] {1, 2, 5}) {
      try (Backend other = open(rows)) {
        Sae same = SmallSaes.random(POINT, WIDTH, 20, 5, other);
        SaeEvaluator evaluator = new SaeEvaluator(model(other), same, rows);
        assertArrayEquals(means.toArray(), evaluator.means(TOKENS).toArray());
        assertArrayEquals(whole, evaluator.sums(TOKENS, means).toArray());
      }
    }
  }

  @Test
  void partsMergeIntoTheWhole() {
    Sae sae = SmallSaes.random(POINT, WIDTH, 20, 5, backend());
    SaeEvaluator evaluator = new SaeEvaluator(model(backend()), sae);
    ActivationMeans means =
        ActivationMeans.of(evaluator.means(TOKENS.slice(0, 2)).toArray())
            .merge(evaluator.means(TOKENS.slice(2, 6)));
    ActivationMeans ofAll = evaluator.means(TOKENS);
    assertArrayEquals(ofAll.toArray(), means.toArray(), 1e-12);
    SaeSums merged =
        SaeSums.of(evaluator.sums(TOKENS.slice(0, 2), ofAll).toArray())
            .merge(evaluator.sums(TOKENS.slice(2, 6), ofAll));
    assertArrayEquals(evaluator.sums(TOKENS, ofAll).toArray(), merged.toArray(), 1e-11);
  }

  /** T25 of the definitions. */
  @Test
  void moreDataMakesNoFeatureDead() {
    Sae sae = SmallSaes.random(POINT, WIDTH, 40, 5, backend());
    SaeEvaluator evaluator = new SaeEvaluator(model(backend()), sae);
    List<Integer> before = new ArrayList<>();
    for (int rows = 1; rows <= TOKENS.rows(); rows++) {
      SaeReport report = evaluator.report(TOKENS.slice(0, rows));
      List<Integer> alive = java.util.Arrays.stream(report.alive()).boxed().toList();
      assertTrue(alive.containsAll(before), alive + " lacks some of " + before);
      assertEquals(
          40 - alive.size(), report.get(SaeMetric.DEAD_FEATURES, TokenScope.ALL), rows + " rows");
      before = alive;
    }
  }

  @Test
  void aTranscoderIsComparedWithWhatItWrites() {
    Gpt2 gpt2 = model(backend());
    Sae through = SmallSaes.random(HookPoint.residMid(0), WIDTH, 20, 5, backend());
    var c = through.config();
    Sae transcoder =
        Sae.of(
            new dev.resid.sae.SaeConfig(
                "transcoder",
                c.architecture(),
                WIDTH,
                20,
                WIDTH,
                c.k(),
                c.topKScale(),
                c.normalization(),
                1,
                c.decoderBias(),
                HookPoint.residMid(0),
                HookPoint.mlpOut(0),
                c.weights(),
                c.provenance()),
            through.weights(),
            backend());
    SaeReport report = new SaeEvaluator(gpt2, transcoder).report(TOKENS);
    var cache =
        gpt2.capture(TOKENS, HookPoint.residMid(0).capture(), HookPoint.mlpOut(0).capture());
    float[] y = transcoder.reconstruct(cache.get(HookPoint.residMid(0))).toArray();
    float[] x = cache.get(HookPoint.mlpOut(0)).toArray();
    double error = 0;
    for (int row = 0; row < TOKENS.rows(); row++) {
      for (int i = row * 12 * WIDTH; i < (row * 12 + TOKENS.length(row)) * WIDTH; i++) {
        error += Math.pow(y[i] - (double) x[i], 2);
      }
    }
    assertEquals(
        error / TOKENS.tokenCount(), report.get(SaeMetric.SQUARED_ERROR, TokenScope.ALL), 1e-9);
  }

  @Test
  void anSaeOfOtherWeightsIsRefused() {
    Sae sae = SmallSaes.random(POINT, WIDTH, 5, 1, backend());
    Gpt2 other =
        Gpt2.of(
            WeightTransforms.transformerLens().apply(SmallSaes.model(SmallSaes.MODEL, 3)),
            backend());
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new SaeEvaluator(other, sae));
    assertTrue(e.getMessage().contains("--weights raw"), e.getMessage());
    assertEquals(WeightsState.TRANSFORMER_LENS, other.weightsState());
  }

  @Test
  void anSaeOfAnotherModelIsRefused() {
    Gpt2 gpt2 = model(backend());
    Sae wide = SmallSaes.random(POINT, 6, 5, 1, backend());
    assertThrows(IllegalArgumentException.class, () -> new SaeEvaluator(gpt2, wide).report(TOKENS));
    Sae deep = SmallSaes.random(HookPoint.residPre(2), WIDTH, 5, 1, backend());
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new SaeEvaluator(gpt2, deep));
    assertTrue(e.getMessage().contains("blocks 0 to 1"), e.getMessage());
  }
}
