package dev.resid.sae.dictionary;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.metric.LogSoftmax;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SparseFeatures;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Removing tokens, removing features, and what that does to predictions and later features. */
class InterventionToolsTest extends OnEachCpuBackend {
  private static final int WIDTH = 8;
  private static final int FEATURES = 12;
  private static final HookPoint POINT = HookPoint.residPre(1);
  private static final TokenBatch TOKENS = SmallSaes.tokens(5, 30, 9, 12, 4);

  private Gpt2 gpt2() {
    return Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend());
  }

  private Sae sae(HookPoint point, long seed) {
    return SmallSaes.random(point, WIDTH, FEATURES, seed, backend());
  }

  private static double lastActivation(Gpt2 gpt2, Sae sae, int feature, int... text) {
    Tensor x = gpt2.capture(TokenBatch.of(text), sae.hookPoint().capture()).get(sae.hookPoint());
    return sae.encode(x).get(text.length - 1, feature);
  }

  /** T30 of the definitions. */
  @Test
  void aScoreIsTheActivationWithoutTheTokenMinusThatWithIt() {
    Gpt2 gpt2 = gpt2();
    Sae sae = sae(HookPoint.residPre(1), 5);
    int[] text = {3, 17, 4, 4, 29};
    int feature = 2;
    AblatedText ablated = new AblatedText(gpt2, sae, feature, text);
    double[] scores = ablated.scores();
    double[][] pairs = ablated.pairScores();
    assertEquals(text.length, scores.length);
    double original = lastActivation(gpt2, sae, feature, text);
    assertEquals(original, ablated.original());
    for (int i = 0; i < text.length; i++) {
      int gone = i;
      int[] shorter =
          java.util.stream.IntStream.range(0, 5).filter(p -> p != gone).map(p -> text[p]).toArray();
      assertEquals(lastActivation(gpt2, sae, feature, shorter) - original, scores[i]);
      assertEquals(scores[i], pairs[i][i]);
      for (int j = i + 1; j < text.length; j++) {
        int also = j;
        int[] both =
            java.util.stream.IntStream.range(0, 5)
                .filter(p -> p != gone && p != also)
                .map(p -> text[p])
                .toArray();
        assertEquals(lastActivation(gpt2, sae, feature, both) - original, pairs[i][j]);
        assertEquals(pairs[i][j], pairs[j][i]);
      }
    }
  }

  @Test
  void aWordOfSeveralTokensIsRemovedAtOnce() {
    Gpt2 gpt2 = gpt2();
    Sae sae = sae(HookPoint.residPre(1), 5);
    AblatedText ablated = new AblatedText(gpt2, sae, 2, 3, 17, 4, 4, 29);
    assertEquals(
        lastActivation(gpt2, sae, 2, 3, 29) - ablated.original(), ablated.scoreWithout(1, 4));
    assertEquals(ablated.scores()[3], ablated.scoreWithout(3, 4));
    assertEquals(ablated.pairScores()[3][4], ablated.scoreWithout(3, 5));
    assertThrows(IllegalArgumentException.class, () -> ablated.scoreWithout(2, 2));
    assertThrows(IllegalArgumentException.class, () -> ablated.scoreWithout(0, 5));
    assertThrows(IndexOutOfBoundsException.class, () -> ablated.scoreWithout(3, 6));
  }

  /** Against a plain forward pass: the activation moves by (value − f)·d at every position. */
  @Test
  void aRaisedFeatureHasItsValueEverywhere() {
    Gpt2 gpt2 = gpt2();
    Sae from = sae(HookPoint.residMid(0), 5);
    Sae to = sae(HookPoint.residPost(0), 8);
    int feature = 3;
    double value = 1.5;
    var effect = FeatureConnections.raised(gpt2, from, to, TOKENS, feature, value);
    HookPoint point = from.hookPoint();
    Tensor x = gpt2.capture(TOKENS, point.capture()).get(point);
    SparseFeatures features = from.encode(x);
    float[] moved = x.toArray();
    float[] direction = from.weights().get(SaeWeight.W_dec).toArray();
    for (int i = 0; i < moved.length; i++) {
      double by = value - features.get(i / WIDTH, feature);
      moved[i] += (float) (by * direction[feature * WIDTH + i % WIDTH]);
    }
    Tensor changed = Tensor.wrap(x.shape(), moved);
    HookPoint later = to.hookPoint();
    float[] after =
        to.encode(
                gpt2.capture(TOKENS, point.replace((was, at) -> changed), later.capture())
                    .get(later))
            .toDense()
            .toArray();
    float[] before =
        to.encode(gpt2.capture(TOKENS, later.capture()).get(later)).toDense().toArray();
    double[] mean = new double[FEATURES];
    int n = 0;
    for (int row = 0; row < TOKENS.rows(); row++) {
      for (int pos = 0; pos < TOKENS.length(row); pos++, n++) {
        for (int i = 0; i < FEATURES; i++) {
          int at = (row * TOKENS.maxLength() + pos) * FEATURES + i;
          mean[i] += after[at] - before[at];
        }
      }
    }
    boolean seen = false;
    for (int i = 0; i < FEATURES; i++) {
      assertEquals(mean[i] / n, effect.meanChange()[i], 1e-5);
      seen |= Math.abs(mean[i] / n) > 1e-3;
    }
    assertTrue(seen, "some later feature changes");
    assertThrows(
        IllegalArgumentException.class,
        () -> FeatureConnections.raised(gpt2, from, to, TOKENS, feature, 0));
  }

  @Test
  void moreTextsThanRunAtATimeKeepTheirOrder() {
    Gpt2Config longer = Gpt2Config.of(2, 2, WIDTH, 30, 40);
    Gpt2 gpt2 = Gpt2.of(SmallSaes.model(longer, 3), backend());
    Sae sae = sae(HookPoint.residPre(1), 5);
    int[] text = SmallSaes.tokens(6, 30, 40).row(0);
    AblatedText ablated = new AblatedText(gpt2, sae, 2, text);
    double[][] pairs = ablated.pairScores();
    for (int[] pair : new int[][] {{0, 1}, {3, 9}, {17, 38}, {30, 39}, {38, 39}}) {
      int[] both =
          java.util.stream.IntStream.range(0, 40)
              .filter(p -> p != pair[0] && p != pair[1])
              .map(p -> text[p])
              .toArray();
      assertEquals(
          lastActivation(gpt2, sae, 2, both) - ablated.original(), pairs[pair[0]][pair[1]]);
    }
  }

  @Test
  void connectionsOverManyRowsAreTheMeanOfThoseOfParts() {
    Gpt2 gpt2 = gpt2();
    Sae from = sae(HookPoint.residMid(0), 5);
    Sae to = sae(HookPoint.residPost(0), 8);
    int[] lengths = java.util.stream.IntStream.generate(() -> 12).limit(400).toArray();
    TokenBatch many = SmallSaes.tokens(6, 30, lengths);
    var all = FeatureConnections.causal(gpt2, from, to, many, 3);
    var first = FeatureConnections.causal(gpt2, from, to, many.slice(0, 200), 3);
    var second = FeatureConnections.causal(gpt2, from, to, many.slice(200, 400), 3);
    assertEquals(first.activeTokens() + second.activeTokens(), all.activeTokens());
    for (int i = 0; i < FEATURES; i++) {
      assertEquals((first.meanChange()[i] + second.meanChange()[i]) / 2, all.meanChange()[i], 1e-9);
    }
  }

  /** T30 of the definitions. */
  @Test
  void withoutAttentionAndPositionsEarlierTokensDoNotMatter() {
    Gpt2Weights weights = SmallSaes.model(SmallSaes.MODEL, 3);
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : Weight.all(SmallSaes.MODEL)) {
      boolean gone = weight.name() == WeightNames.W_O || weight.name() == WeightNames.W_pos;
      if (weight.name() != WeightNames.b_U && weight.name() != WeightNames.W_U) {
        tensors.put(
            weight,
            gone ? Tensor.zeros(weight.name().shape(SmallSaes.MODEL)) : weights.get(weight));
      }
    }
    Gpt2 gpt2 = Gpt2.of(Gpt2Weights.of(SmallSaes.MODEL, tensors), backend());
    Sae sae = sae(POINT, 5);
    int[] text = {3, 17, 4, 9, 29, 1};
    boolean seen = false;
    for (int feature = 0; feature < FEATURES; feature++) {
      double[] scores = new AblatedText(gpt2, sae, feature, text).scores();
      for (int i = 0; i + 1 < text.length; i++) {
        assertEquals(0, scores[i], "feature " + feature + ", token " + i);
      }
      seen |= scores[text.length - 1] != 0;
    }
    assertTrue(seen, "removing the last token changes some feature");
  }

  @Test
  void aTextOfOneTokenCannotBeShortened() {
    Gpt2 gpt2 = gpt2();
    Sae sae = sae(POINT, 5);
    assertThrows(IllegalArgumentException.class, () -> new AblatedText(gpt2, sae, 0, 3));
    assertThrows(
        IllegalStateException.class, () -> new AblatedText(gpt2, sae, 0, 3, 4).pairScores());
  }

  @Test
  void ablatingAFeatureSubtractsItsDirectionEverywhere() {
    Gpt2 gpt2 = gpt2();
    Sae sae = sae(POINT, 5);
    int feature = 4;
    double[][] change = FeatureAblation.logProbChangeNats(gpt2, sae, TOKENS, feature);
    float[] decoder = sae.weights().get(SaeWeight.W_dec).toArray();
    Tensor after =
        gpt2.forward(
                TOKENS,
                POINT.replace(
                    (x, at) -> {
                      SparseFeatures features = sae.encode(x);
                      float[] values = x.toArray();
                      for (int i = 0; i < values.length; i++) {
                        values[i] -=
                            features.get(i / WIDTH, feature) * decoder[feature * WIDTH + i % WIDTH];
                      }
                      return Tensor.wrap(x.shape(), values);
                    }))
            .logits();
    double[][] clean = LogSoftmax.rows(gpt2.forward(TOKENS).logits());
    double[][] changed = LogSoftmax.rows(after);
    double largest = 0;
    for (int row = 0; row < TOKENS.rows(); row++) {
      assertEquals(TOKENS.length(row) - 1, change[row].length);
      for (int pos = 0; pos + 1 < TOKENS.length(row); pos++) {
        int at = row * TOKENS.maxLength() + pos;
        int next = TOKENS.id(row, pos + 1);
        assertEquals(changed[at][next] - clean[at][next], change[row][pos], 1e-4);
        largest = Math.max(largest, Math.abs(change[row][pos]));
      }
    }
    assertTrue(largest > 0.01, "it changes something: " + largest);
  }

  @Test
  void anInactiveFeatureChangesNothing() {
    Gpt2 gpt2 = gpt2();
    Sae off = SmallSaes.constant(POINT, new float[WIDTH], backend());
    for (double[] row : FeatureAblation.logProbChangeNats(gpt2, off, TOKENS, 1)) {
      assertArrayEquals(new double[row.length], row);
    }
    var effect = FeatureConnections.causal(gpt2, off, sae(HookPoint.residPost(1), 8), TOKENS, 1);
    assertEquals(0, effect.activeTokens());
    assertArrayEquals(new double[FEATURES], effect.meanChange());
  }

  @Test
  void causalConnectionsAreTheMeanChangesOfLaterFeatures() {
    Gpt2 gpt2 = gpt2();
    Sae from = sae(HookPoint.residMid(0), 5);
    Sae to = sae(HookPoint.residPost(0), 8);
    int feature = 3;
    var effect = FeatureConnections.causal(gpt2, from, to, TOKENS, feature);
    float[] decoder = from.weights().get(SaeWeight.W_dec).toArray();
    Tensor before = gpt2.capture(TOKENS, to.hookPoint().capture()).get(to.hookPoint());
    Tensor after =
        gpt2.capture(
                TOKENS,
                from.hookPoint()
                    .replace(
                        (x, at) -> {
                          SparseFeatures f = from.encode(x);
                          float[] values = x.toArray();
                          for (int i = 0; i < values.length; i++) {
                            values[i] -=
                                f.get(i / WIDTH, feature) * decoder[feature * WIDTH + i % WIDTH];
                          }
                          return Tensor.wrap(x.shape(), values);
                        }),
                to.hookPoint().capture())
            .get(to.hookPoint());
    float[] old = to.encode(before).toDense().toArray();
    float[] now = to.encode(after).toDense().toArray();
    SparseFeatures on =
        from.encode(gpt2.capture(TOKENS, from.hookPoint().capture()).get(from.hookPoint()));
    double[] all = new double[FEATURES];
    double[] active = new double[FEATURES];
    int count = 0;
    for (int row = 0; row < TOKENS.rows(); row++) {
      for (int pos = 0; pos < TOKENS.length(row); pos++) {
        int at = row * TOKENS.maxLength() + pos;
        boolean isOn = on.get(at, feature) != 0;
        count += isOn ? 1 : 0;
        for (int i = 0; i < FEATURES; i++) {
          double change = (double) now[at * FEATURES + i] - old[at * FEATURES + i];
          all[i] += change / TOKENS.tokenCount();
          active[i] += isOn ? change : 0;
        }
      }
    }
    assertTrue(count > 0 && count < TOKENS.tokenCount(), "active on " + count);
    assertEquals(count, effect.activeTokens());
    assertArrayEquals(all, effect.meanChange(), 1e-4);
    for (int i = 0; i < FEATURES; i++) {
      assertEquals(active[i] / count, effect.meanChangeWhereActive()[i], 1e-4);
    }
    assertTrue(java.util.Arrays.stream(all).anyMatch(v -> Math.abs(v) > 1e-3), "some effect");
  }

  @Test
  void anEarlierSaeCannotBeReached() {
    Gpt2 gpt2 = gpt2();
    Sae from = sae(HookPoint.residPost(0), 5);
    Sae to = sae(HookPoint.residMid(0), 8);
    assertThrows(
        IllegalArgumentException.class, () -> FeatureConnections.causal(gpt2, from, to, TOKENS, 0));
  }
}
