package dev.resid.sae.dictionary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.dictionary.FeatureLens.TokenLogit;
import dev.resid.sae.dictionary.FeatureLens.View;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FeatureLensTest extends OnEachCpuBackend {
  private static final int WIDTH = 8;
  private static final Gpt2Config UNTIED =
      new Gpt2Config(
          2,
          2,
          WIDTH,
          32,
          WIDTH,
          12,
          SmallSaes.MODEL.activation(),
          1e-5,
          SmallSaes.MODEL.scores(),
          Embeddings.UNTIED,
          SmallSaes.MODEL.bosToken(),
          SmallSaes.MODEL.eosToken());

  /** A model whose W_U has orthonormal columns: a reflection. */
  private Gpt2 orthonormal() {
    Gpt2Weights random = SmallSaes.model(UNTIED, 1);
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : Weight.all(UNTIED)) {
      if (weight.name() != WeightNames.b_U) {
        tensors.put(weight, random.get(weight));
      }
    }
    float[] v = SmallSaes.normal(4, 0, WIDTH, 1);
    double square = 0;
    for (float x : v) {
      square += (double) x * x;
    }
    float[] reflection = new float[WIDTH * WIDTH];
    for (int r = 0; r < WIDTH; r++) {
      for (int c = 0; c < WIDTH; c++) {
        reflection[r * WIDTH + c] = (float) ((r == c ? 1 : 0) - 2 * v[r] * v[c] / square);
      }
    }
    Shape shape = WeightNames.W_U.shape(UNTIED);
    tensors.put(Weight.of(WeightNames.W_U), Tensor.wrap(shape, reflection));
    return Gpt2.of(Gpt2Weights.of(UNTIED, tensors), backend());
  }

  /** T31 of the definitions. */
  @Test
  void aColumnOfTheUnembeddingPromotesItsTokenFirst() {
    Gpt2 gpt2 = orthonormal();
    Tensor unembedding = gpt2.weights().get(Weight.of(WeightNames.W_U));
    FeatureLens lens = new FeatureLens(gpt2, TokenMask.outside(gpt2, 0, 100));
    Sae sae =
        SmallSaes.of(
            SmallSaes.config(HookPoint.residPre(1), WIDTH, WIDTH),
            new float[WIDTH * WIDTH],
            new float[WIDTH],
            unembedding.toArray(),
            new float[WIDTH],
            backend());
    for (int v = 0; v < WIDTH; v++) {
      View view = lens.view(sae, v, 3);
      assertEquals(v, view.promoted().getFirst().token());
      assertEquals(1, view.promoted().getFirst().logit(), 1e-6);
      assertEquals(0, view.promoted().get(1).logit(), 1e-6);
    }
  }

  /** T31 of the definitions. */
  @Test
  void maskedTokensNeverAppear() {
    Gpt2 gpt2 = Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend());
    double[] norms = TokenMask.outside(gpt2, 0, 1e9).norms();
    double[] sorted = norms.clone();
    Arrays.sort(sorted);
    TokenMask mask = TokenMask.outside(gpt2, sorted[4], sorted[20]);
    assertEquals(13, mask.masked().cardinality());
    FeatureLens lens = new FeatureLens(gpt2, mask);
    Sae sae = SmallSaes.random(HookPoint.residPre(1), WIDTH, 10, 5, backend());
    for (int feature = 0; feature < 10; feature++) {
      View view = lens.view(sae, feature, 100);
      assertEquals(17, view.promoted().size());
      for (List<TokenLogit> end : List.of(view.promoted(), view.suppressed())) {
        assertFalse(end.stream().anyMatch(t -> mask.masks(t.token())), "feature " + feature);
      }
    }
  }

  @Test
  void logitsAreTheProductAndBothEndsAreSorted() {
    Gpt2 gpt2 = Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend());
    Sae sae = SmallSaes.random(HookPoint.mlpOut(0), WIDTH, 10, 5, backend());
    View view = new FeatureLens(gpt2, TokenMask.outside(gpt2, 0, 1e9)).view(sae, 6, 30);
    float[] d = sae.weights().get(SaeWeight.W_dec).at(Axis.D_SAE, 6).toArray();
    Tensor unembedding = gpt2.weights().lens(Weight.of(WeightNames.W_U));
    for (TokenLogit token : view.promoted()) {
      double expected = 0;
      for (int c = 0; c < WIDTH; c++) {
        expected += d[c] * (double) unembedding.get(c, token.token());
      }
      assertEquals(expected, token.logit(), 1e-6);
    }
    for (int i = 1; i < 30; i++) {
      assertTrue(view.promoted().get(i - 1).logit() >= view.promoted().get(i).logit());
      assertTrue(view.suppressed().get(i - 1).logit() <= view.suppressed().get(i).logit());
    }
  }

  @Test
  void directionsOfHiddenLayersAndHeadsGoThroughTheirOutputWeights() {
    Gpt2 gpt2 = Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend());
    FeatureLens lens = new FeatureLens(gpt2, TokenMask.outside(gpt2, 0, 1e9));
    for (Site site : new Site[] {Site.MLP_POST, Site.Z}) {
      WeightNames name = site == Site.Z ? WeightNames.W_O : WeightNames.W_out;
      float[] matrix = gpt2.weights().get(Weight.of(name, 1)).toArray();
      int row = 5;
      float[] direction = new float[matrix.length / WIDTH];
      direction[row] = 1;
      float[] written = Arrays.copyOfRange(matrix, row * WIDTH, (row + 1) * WIDTH);
      double[] expected = lens.logits(HookPoint.residPost(1), written);
      double[] found = lens.logits(HookPoint.at(site, 1), direction);
      for (int v = 0; v < expected.length; v++) {
        assertEquals(expected[v], found[v], 1e-9);
      }
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> lens.logits(HookPoint.at(Site.MLP_PRE, 0), new float[32]));
    assertThrows(
        IllegalArgumentException.class,
        () -> lens.logits(HookPoint.residPre(0), new float[WIDTH + 1]));
  }

  @Test
  void aTokenFarFromTheOthersIsMaskedByItself() {
    Gpt2Weights weights = SmallSaes.model(SmallSaes.MODEL, 3);
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : Weight.all(SmallSaes.MODEL)) {
      if (weight.name() != WeightNames.b_U && weight.name() != WeightNames.W_U) {
        tensors.put(weight, weights.get(weight));
      }
    }
    Weight embedding = Weight.of(WeightNames.W_E);
    float[] values = weights.get(embedding).toArray();
    for (int c = 0; c < WIDTH; c++) {
      values[17 * WIDTH + c] *= 20;
    }
    tensors.put(embedding, Tensor.wrap(WeightNames.W_E.shape(SmallSaes.MODEL), values));
    Gpt2 gpt2 = Gpt2.of(Gpt2Weights.of(SmallSaes.MODEL, tensors), backend());
    assertEquals("{17}", TokenMask.outliers(gpt2).masked().toString());
  }
}
