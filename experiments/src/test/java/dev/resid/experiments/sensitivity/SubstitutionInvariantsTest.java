package dev.resid.experiments.sensitivity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.Direction;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.sweep.Moments;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.PositionValues;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.random.CounterRandom;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Invariants T15 and T33: a substitution is its error, and a position without position is any. */
class SubstitutionInvariantsTest {
  private static final HookPoint POINT = HookPoint.residPre(1);
  private static final int D = TinyModel.CONFIG.dModel();
  private static final Backend BACKEND = TinyModel.backend(2);
  private static final Workers WORKERS = new Workers(2);

  @AfterAll
  static void close() {
    WORKERS.close();
    BACKEND.close();
  }

  /** T15: x + ε·(SAE(x) − x)/ε is SAE(x). */
  @Test
  void theErrorDirectionAtTheLengthOfTheErrorIsTheSubstitution() {
    TokenBatch tokens = TinyModel.tokens(20, 20, 20, 20);
    Gpt2 gpt2 = TinyModel.on(BACKEND);
    try (BaseRun base = gpt2.baseRun(tokens, POINT)) {
      Tensor x = base.activation();
      for (NamedSae sae : TinySaes.both()) {
        Tensor replaced = sae.sae().reconstruct(x);
        Tensor unit = Direction.saeError(sae).draw(3, BasePoints.of(x), WORKERS);
        Continuation plain = base.continueWith(replaced);
        Continuation along = base.continueWith(alongBy(x, unit, replaced));
        PositionValues expected = plain.klNats();
        PositionValues found = along.klNats();
        double largest = 0;
        for (int row = 0; row < tokens.rows(); row++) {
          for (int pos = 0; pos < tokens.length(row); pos++) {
            // Both streams are rounded to float32, a few 1e-7 of their size.
            assertEquals(
                expected.get(row, pos),
                found.get(row, pos),
                2e-5 * (1e-2 + expected.get(row, pos)));
            largest = Math.max(largest, expected.get(row, pos));
          }
        }
        assertTrue(largest > 0.1, "the substitution matters: " + largest);
        float[] a = plain.logits().toArray();
        float[] b = along.logits().toArray();
        for (int i = 0; i < a.length; i++) {
          assertEquals(a[i], b[i], 2e-5f * (1 + Math.abs(a[i])));
        }
      }
    }
  }

  /** Returns x + ε·unit with ε the length of the error at each position. */
  private static Tensor alongBy(Tensor x, Tensor unit, Tensor replaced) {
    float[] from = x.toArray();
    float[] to = replaced.toArray();
    float[] direction = unit.toArray();
    for (int i = 0; i < from.length; i += D) {
      double square = 0;
      for (int c = 0; c < D; c++) {
        square += Math.pow((double) to[i + c] - from[i + c], 2);
      }
      for (int c = 0; c < D; c++) {
        to[i + c] = (float) (from[i + c] + Math.sqrt(square) * direction[i + c]);
      }
    }
    return Tensor.wrap(x.shape(), to);
  }

  /**
   * T33: without position embedding and attention the activation is a function of the token alone,
   * so the same tokens everywhere have the same means everywhere.
   */
  @Test
  void withoutPositionsAndAttentionEveryPositionHasTheSameMeans() {
    int length = 16;
    TokenBatch tokens = randomTokens(400, length);
    Gpt2 blind = without(Set.of(WeightNames.W_pos, WeightNames.W_O, WeightNames.b_O));
    assertTrue(spread(blind, tokens) < 4.5, "found " + spread(blind, tokens) + " deviations");
    Gpt2 seeing = without(Set.of(WeightNames.W_O, WeightNames.b_O));
    assertTrue(spread(seeing, tokens) > 10, "found " + spread(seeing, tokens) + " deviations");
    PositionValues crossEntropy = blind.crossEntropyNats(tokens);
    for (int row = 0; row < tokens.rows(); row++) {
      assertEquals(length - 1, crossEntropy.length(row), "the last position predicts nothing");
    }
  }

  /**
   * Returns by how many standard errors the mean L0 or MSE of a position differs from that of all
   * positions at most.
   */
  private static double spread(Gpt2 gpt2, TokenBatch tokens) {
    HookPoint point = HookPoint.residPost(2);
    Tensor x = gpt2.capture(tokens, point.capture()).get(point);
    double most = 0;
    for (NamedSae sae : TinySaes.both()) {
      SparseFeatures features = sae.sae().encode(x);
      float[] back = sae.sae().reconstruct(x).toArray();
      float[] values = x.toArray();
      int length = tokens.maxLength();
      double[][] l0 = new double[length][tokens.rows()];
      double[][] mse = new double[length][tokens.rows()];
      for (int at = 0; at < values.length / D; at++) {
        l0[at % length][at / length] = features.count(at);
        for (int c = 0; c < D; c++) {
          mse[at % length][at / length] += Math.pow(back[at * D + c] - values[at * D + c], 2) / D;
        }
      }
      most = Math.max(most, Math.max(spread(l0), spread(mse)));
    }
    return most;
  }

  private static double spread(double[][] byPosition) {
    Moments all = Moments.NONE;
    for (double[] values : byPosition) {
      all = all.merge(Moments.of(values));
    }
    double most = 0;
    for (double[] values : byPosition) {
      double error = all.standardDeviation() / Math.sqrt(values.length);
      if (error == 0) {
        continue; // a fixed number of features is the same everywhere
      }
      most = Math.max(most, Math.abs(Moments.of(values).mean() - all.mean()) / error);
    }
    return most;
  }

  private static TokenBatch randomTokens(int rows, int length) {
    CounterRandom random = new CounterRandom(12);
    int[][] ids = new int[rows][length];
    for (int row = 0; row < rows; row++) {
      for (int pos = 0; pos < length; pos++) {
        ids[row][pos] = random.below(TinyModel.CONFIG.dVocab(), row, pos, 0);
      }
    }
    return TokenBatch.of(ids);
  }

  /** Returns the tiny model with some weights set to 0. */
  private static Gpt2 without(Set<WeightNames> names) {
    Gpt2Weights given = TinyModel.on(BACKEND).weights();
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : Weight.all(TinyModel.CONFIG)) {
      if (weight.name() != WeightNames.W_U) {
        Tensor tensor = given.get(weight);
        tensors.put(weight, names.contains(weight.name()) ? tensor.map(v -> 0) : tensor);
      }
    }
    return Gpt2.of(Gpt2Weights.of(TinyModel.CONFIG, tensors), BACKEND);
  }
}
