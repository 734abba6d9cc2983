package dev.resid.sae.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.metric.FeatureRemoval.Order;
import dev.resid.sae.metric.FeatureRemoval.Step;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FeatureRemovalTest extends OnEachCpuBackend {
  private static final HookPoint POINT = HookPoint.residPre(1);
  private static final int FEATURES = 20;

  /** More rows than are run at a time. */
  private static final TokenBatch TOKENS =
      SmallSaes.tokens(8, 30, IntStream.range(0, 100).map(i -> i % 3 == 0 ? 12 : 5).toArray());

  private Gpt2 gpt2() {
    return Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend());
  }

  @Test
  void removingNothingIsTheSaeAndRemovingAllLeavesTheDecoderBias() {
    Sae sae = SmallSaes.random(POINT, 8, FEATURES, 5, backend());
    SaeReport report = new SaeEvaluator(gpt2(), sae).report(TOKENS);
    int[] order = FeatureRemoval.order(report.sums(), Order.FREQUENCY);
    List<Step> steps = FeatureRemoval.measure(gpt2(), sae, TOKENS, order, 0, FEATURES);
    assertEquals(report.get(SaeMetric.L0, TokenScope.ALL), steps.get(0).l0());
    assertEquals(report.get(SaeMetric.CE_SAE, TokenScope.ALL), steps.get(0).ceNats(), 1e-12);
    assertEquals(
        report.get(SaeMetric.CE_RECOVERED_ZERO_ABLATION, TokenScope.ALL),
        steps.get(0).lossRecovered(),
        1e-12);
    Sae bias = SmallSaes.constant(POINT, sae.weights().get(SaeWeight.b_dec).toArray(), backend());
    SaeReport ofBias = new SaeEvaluator(gpt2(), bias).report(TOKENS);
    assertEquals(0, steps.get(1).l0());
    assertEquals(ofBias.get(SaeMetric.CE_SAE, TokenScope.ALL), steps.get(1).ceNats(), 1e-12);
  }

  @Test
  void meanL0FallsByTheFrequenciesOfWhatIsRemoved() {
    Sae sae = SmallSaes.random(POINT, 8, FEATURES, 5, backend());
    SaeReport report = new SaeEvaluator(gpt2(), sae).report(TOKENS);
    double[] frequencies = report.frequencies(TokenScope.ALL);
    for (Order by : Order.values()) {
      int[] order = FeatureRemoval.order(report.sums(), by);
      List<Step> steps =
          FeatureRemoval.measure(
              gpt2(), sae, TOKENS, order, IntStream.rangeClosed(0, FEATURES).toArray());
      double expected = report.get(SaeMetric.L0, TokenScope.ALL);
      for (int k = 0; k <= FEATURES; k++) {
        assertEquals(expected, steps.get(k).l0(), 1e-12, by + " " + k);
        assertTrue(k == 0 || steps.get(k).l0() <= steps.get(k - 1).l0(), by + " " + k);
        expected -= k < FEATURES ? frequencies[order[k]] : 0;
      }
    }
  }

  @Test
  void theOrderIsDescendingAndTiesGoByIndex() {
    Sae sae = SmallSaes.random(POINT, 8, 40, 5, backend());
    SaeSums sums = new SaeEvaluator(gpt2(), sae).report(TOKENS).sums();
    int[] order = FeatureRemoval.order(sums, Order.FREQUENCY);
    long[] tokens = sums.activeTokens(TokenScope.ALL);
    for (int r = 1; r < order.length; r++) {
      long before = tokens[order[r - 1]];
      long now = tokens[order[r]];
      assertTrue(before > now || before == now && order[r - 1] < order[r], "rank " + r);
    }
  }

  @Test
  void anOrderThatLacksAFeatureIsRefused() {
    Sae sae = SmallSaes.random(POINT, 8, 3, 5, backend());
    Gpt2 gpt2 = gpt2();
    for (int[] order : new int[][] {{0, 1}, {0, 1, 1}, {0, 1, 3}}) {
      assertThrows(
          IllegalArgumentException.class,
          () -> FeatureRemoval.measure(gpt2, sae, TOKENS, order, 1));
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> FeatureRemoval.measure(gpt2, sae, TOKENS, new int[] {2, 0, 1}, 4));
  }
}
