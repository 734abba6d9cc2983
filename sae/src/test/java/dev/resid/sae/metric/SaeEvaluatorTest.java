package dev.resid.sae.metric;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.metric.KlDivergence;
import dev.resid.metric.LogSoftmax;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightTransforms;
import dev.resid.model.WeightsState;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SaeEvaluatorTest extends OnEachCpuBackend {
  private static final HookPoint POINT = HookPoint.residPre(1);
  private static final int WIDTH = 8;
  private static final TokenBatch TOKENS = SmallSaes.tokens(7, 30, 12, 9, 12, 3, 5, 12);

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
      Expected expected = new Expected(gpt2, sae, scope);
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
      Expected expected = new Expected(gpt2, sae, TokenScope.ALL);
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

  /** The definitions once more, from logits, in the plainest way. */
  private static final class Expected {
    private final List<double[]> x = new ArrayList<>();
    private final List<double[]> y = new ArrayList<>();
    private final double[] frequencies;
    private final double[] ce = new double[4];
    private final double[] kl = new double[4];
    private double l0;
    private double l1;

    Expected(Gpt2 gpt2, Sae sae, TokenScope scope) {
      int first = scope == TokenScope.ALL ? 0 : 1;
      HookPoint point = sae.hookPoint();
      int width = sae.config().dIn();
      Tensor clean = gpt2.capture(TOKENS, point.capture()).get(point);
      SparseFeatures features = sae.encode(clean);
      float[] in = clean.toArray();
      float[] out = sae.decode(features, clean).toArray();
      float[] dense = features.toDense().toArray();
      int dSae = features.dSae();
      frequencies = new double[dSae];
      List<Integer> rows = new ArrayList<>();
      double[] meanOfAll = new double[width];
      for (int row = 0; row < TOKENS.rows(); row++) {
        for (int pos = 0; pos < TOKENS.length(row); pos++) {
          int at = row * TOKENS.maxLength() + pos;
          double[] input = new double[width];
          double[] output = new double[width];
          for (int c = 0; c < width; c++) {
            input[c] = in[at * width + c];
            output[c] = out[at * width + c];
            meanOfAll[c] += input[c] / TOKENS.tokenCount();
          }
          if (pos < first) {
            continue;
          }
          rows.add(at);
          x.add(input);
          y.add(output);
          for (int i = 0; i < dSae; i++) {
            l0 += dense[at * dSae + i] > 0 ? 1 : 0;
            l1 += dense[at * dSae + i];
            frequencies[i] += dense[at * dSae + i] > 0 ? 1 : 0;
          }
        }
      }
      l0 /= x.size();
      l1 /= x.size();
      for (int i = 0; i < dSae; i++) {
        frequencies[i] /= x.size();
      }
      losses(gpt2, sae, first, meanOfAll);
    }

    private void losses(Gpt2 gpt2, Sae sae, int first, double[] mean) {
      HookPoint point = sae.hookPoint();
      Tensor original = gpt2.forward(TOKENS).logits();
      List<Tensor> runs =
          List.of(
              original,
              gpt2.forward(TOKENS, point.replace((t, at) -> sae.reconstruct(t))).logits(),
              gpt2.forward(TOKENS, point.replace((t, at) -> t.times(0))).logits(),
              gpt2.forward(
                      TOKENS,
                      point.replace(
                          (t, at) -> {
                            float[] all = new float[Math.toIntExact(t.elements())];
                            for (int i = 0; i < all.length; i++) {
                              all[i] = (float) mean[i % mean.length];
                            }
                            return Tensor.wrap(t.shape(), all);
                          }))
                  .logits());
      for (int run = 0; run < 4; run++) {
        double[][] logProbs = LogSoftmax.rows(runs.get(run));
        double[] divergence = KlDivergence.nats(original, runs.get(run));
        int predictions = 0;
        int tokens = 0;
        for (int row = 0; row < TOKENS.rows(); row++) {
          for (int pos = first; pos < TOKENS.length(row); pos++) {
            kl[run] += divergence[row * TOKENS.maxLength() + pos];
            tokens++;
            if (pos + 1 < TOKENS.length(row)) {
              ce[run] -= logProbs[row * TOKENS.maxLength() + pos][TOKENS.id(row, pos + 1)];
              predictions++;
            }
          }
        }
        kl[run] /= tokens;
        ce[run] /= predictions;
      }
    }

    private interface Token {
      double of(double[] x, double[] y, double[] mean);
    }

    private double mean(Token token) {
      double[] mean = new double[x.getFirst().length];
      for (double[] one : x) {
        for (int c = 0; c < mean.length; c++) {
          mean[c] += one[c] / x.size();
        }
      }
      double sum = 0;
      for (int i = 0; i < x.size(); i++) {
        sum += token.of(x.get(i), y.get(i), mean);
      }
      return sum / x.size();
    }

    private static double dot(double[] a, double[] b) {
      double sum = 0;
      for (int c = 0; c < a.length; c++) {
        sum += a[c] * b[c];
      }
      return sum;
    }

    private static double norm(double[] a) {
      return Math.sqrt(dot(a, a));
    }

    private static double distance(double[] a, double[] b) {
      double sum = 0;
      for (int c = 0; c < a.length; c++) {
        sum += (a[c] - b[c]) * (a[c] - b[c]);
      }
      return Math.sqrt(sum);
    }

    private static double square(double a) {
      return a * a;
    }

    private long active() {
      return java.util.Arrays.stream(frequencies).filter(f -> f > 0).count();
    }

    double of(SaeMetric metric) {
      return switch (metric) {
        case TOKENS -> x.size();
        case L0 -> l0;
        case L1 -> l1;
        case ALIVE_FEATURES -> active();
        case DEAD_FEATURES -> frequencies.length - active();
        case DEAD_PART -> 1.0 * (frequencies.length - active()) / frequencies.length;
        case DENSE_FEATURES -> java.util.Arrays.stream(frequencies).filter(f -> f > 0.1).count();
        case SQUARED_ERROR -> mean((a, b, m) -> square(distance(a, b)));
        case RELATIVE_SQUARED_ERROR ->
            mean((a, b, m) -> square(distance(a, b))) / mean((a, b, m) -> square(norm(a)));
        case NORMALIZED_MSE -> mean((a, b, m) -> square(distance(a, b)) / distance(a, m) / WIDTH);
        case NORMALIZED_MSE_BY_NORM -> mean((a, b, m) -> square(distance(a, b)) / norm(a) / WIDTH);
        case EXPLAINED_VARIANCE ->
            mean((a, b, m) -> 1 - square(distance(a, b)) / square(distance(a, m)));
        case EXPLAINED_VARIANCE_POOLED ->
            1
                - mean((a, b, m) -> square(distance(a, b)))
                    / mean((a, b, m) -> square(distance(a, m)));
        case COSINE -> mean((a, b, m) -> dot(a, b) / norm(a) / norm(b));
        case NORM_IN -> mean((a, b, m) -> norm(a));
        case NORM_OUT -> mean((a, b, m) -> norm(b));
        case NORM_RATIO -> mean((a, b, m) -> norm(b) / norm(a));
        case RELATIVE_RECONSTRUCTION_BIAS ->
            mean((a, b, m) -> square(norm(b))) / mean((a, b, m) -> dot(a, b));
        case CE_CLEAN -> ce[0];
        case CE_SAE -> ce[1];
        case CE_INCREASE -> ce[1] - ce[0];
        case CE_ZERO_ABLATION -> ce[2];
        case CE_MEAN_ABLATION -> ce[3];
        case CE_RECOVERED_ZERO_ABLATION -> (ce[2] - ce[1]) / (ce[2] - ce[0]);
        case CE_RECOVERED_MEAN_ABLATION -> (ce[3] - ce[1]) / (ce[3] - ce[0]);
        case KL_SAE -> kl[1];
        case KL_ZERO_ABLATION -> kl[2];
        case KL_MEAN_ABLATION -> kl[3];
        case KL_RECOVERED_ZERO_ABLATION -> (kl[2] - kl[1]) / kl[2];
        case KL_RECOVERED_MEAN_ABLATION -> (kl[3] - kl[1]) / kl[3];
      };
    }
  }
}
