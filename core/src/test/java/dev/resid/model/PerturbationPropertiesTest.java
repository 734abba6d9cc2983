package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.random.CounterRandom;
import dev.resid.reference.Distributions;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a perturbation of the stream does in every GPT-2-shaped model. */
class PerturbationPropertiesTest extends OnEachCpuBackend {
  private static HookPoint last(Gpt2Config config) {
    return HookPoint.residPost(config.nLayers() - 1);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void klIsNeverNegativeAndZeroForTheSameRun(ModelCase c) {
    try (BaseRun base = c.on(backend()).baseRun(c.tokens(), HookPoint.residPre(0))) {
      Tensor x = base.activation();
      for (double length : new double[] {0, 1e-6, 1e-3, 1, 100}) {
        PositionValues kl = base.continueWith(x.plus(c.noise(x.shape(), 1).times(length))).klNats();
        for (int row = 0; row < kl.rows(); row++) {
          for (double nats : kl.row(row)) {
            assertTrue(nats >= -1e-7, () -> nats + " nats, " + c);
            assertTrue(length > 0 || nats == 0, () -> nats + " nats without a change, " + c);
          }
        }
      }
    }
  }

  @Test
  void klOfAFixedPairHasItsDirection() {
    // Logits of p = (0.9, 0.1) and q = (0.5, 0.5) as final streams of a model of width 1.
    float logit = (float) Math.log(9);
    Shape stream = Shape.of(Axis.ROW, 1, Axis.D_MODEL, 1);
    var w = backend().pack(Tensor.of(Shape.of(Axis.IN, 1, Axis.OUT, 2), 1, 0));
    Tensor none = Tensor.zeros(Shape.of(Axis.D_VOCAB, 2));
    Tensor p = Tensor.of(stream, logit);
    Tensor q = Tensor.of(stream, 0);
    assertEquals(0.3681, backend().unembedKl(p, q, w, none)[0], 5e-5);
    assertEquals(0.5108, backend().unembedKl(q, p, w, none)[0], 5e-5);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void aConstantAddedToAllLogitsChangesNoKl(ModelCase c) {
    Map<Weight, Tensor> shifted = new HashMap<>();
    for (Weight weight : Weight.all(c.config())) {
      Tensor tensor = c.weights().get(weight);
      shifted.put(weight, weight.name() == WeightNames.b_U ? tensor.map(b -> b + 8) : tensor);
    }
    if (c.config().embeddings() == Gpt2Config.Embeddings.TIED) {
      shifted.remove(Weight.of(WeightNames.W_U));
    }
    Gpt2 other = Gpt2.of(Gpt2Weights.of(c.config(), shifted), backend());
    HookPoint point = HookPoint.residPre(1);
    try (BaseRun base = c.on(backend()).baseRun(c.tokens(), point);
        BaseRun moved = other.baseRun(c.tokens(), point)) {
      Tensor changed = base.activation().plus(c.noise(base.activation().shape(), 1));
      PositionValues kl = base.continueWith(changed).klNats();
      PositionValues same = moved.continueWith(changed).klNats();
      double logits = Reference.largest(Reference.doubles(moved.logits()));
      for (int row = 0; row < kl.rows(); row++) {
        check("KL of row " + row + " of " + c, c.seed())
            .close(
                Reference.numbers(kl.length(row)),
                kl.row(row),
                same.row(row),
                Tolerance.within(16 * Tolerance.U * logits, 0)); // logits are rounded at 8
      }
    }
  }

  /** The layer norms remove a mean, so only the last L2 sees it. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void theConstantVectorChangesNoPredictionAndStaysInTheStream(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    float unit = (float) (1 / Math.sqrt(c.config().dModel()));
    for (int layer = 0; layer < c.config().nLayers(); layer++) {
      try (BaseRun base = gpt2.baseRun(c.tokens(), HookPoint.residPre(layer))) {
        for (float length : new float[] {0.5f, 4}) {
          Continuation moved = base.continueWith(base.activation().map(x -> x + length * unit));
          for (int row = 0; row < c.tokens().rows(); row++) {
            for (int pos = 0; pos < c.tokens().length(row); pos++) {
              // A stream rounded at about 10 moves logits by 1e-5; KL is quadratic in that.
              assertEquals(0, moved.klNats().get(row, pos), 2e-6, c::toString);
              assertEquals(length, moved.l2At(last(c.config())).get(row, pos), 2e-4, c::toString);
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void zeroAblationMakesEveryPositionAndPromptAlike(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    Hook zero = HookPoint.residPre(1).replace((x, at) -> x.times(0));
    Tensor logits = gpt2.forward(c.tokens(), zero).logits();
    Tensor first = logits.at(Axis.BATCH, 0).at(Axis.POS, 0);
    double allowed = 1e-5 * Math.max(1, Reference.largest(Reference.doubles(first)));
    for (int row = 0; row < c.tokens().rows(); row++) {
      for (int pos = 0; pos < c.tokens().length(row); pos++) {
        // Sums over 1 to pos equal values, each weighted by 1/pos.
        check("position " + pos + " of row " + row + " of " + c, c.seed())
            .close(
                first, logits.at(Axis.BATCH, row).at(Axis.POS, pos), Tolerance.within(allowed, 0));
      }
    }
  }

  /** For small changes L2 is linear and KL quadratic in the length, and neither sees the sign. */
  @Test
  void smallChangesHaveTheRatiosOfAQuadratic() {
    ModelCase c = ModelCase.of(5, Gpt2Config.of(4, 4, 32, 60, 16));
    TokenBatch tokens = TokenBatch.of(c.row(16), c.row(16), c.row(16), c.row(16));
    try (BaseRun base = c.on(backend()).baseRun(tokens, HookPoint.residPre(1))) {
      Tensor x = base.activation();
      double norm = 0;
      for (double value : Reference.doubles(x)) {
        norm += value * value;
      }
      double length = 0.02 * Math.sqrt(norm / (tokens.tokenCount() * (double) c.config().dModel()));
      Tensor direction = c.noise(x.shape(), 1);
      Continuation once = base.continueWith(x.plus(direction.times(length)));
      Continuation twice = base.continueWith(x.plus(direction.times(2 * length)));
      Continuation back = base.continueWith(x.minus(direction.times(length)));
      HookPoint last = last(c.config());
      // 0.02 of the norm: third-order terms are a few per cent, float noise in KL is below 1e-3.
      assertEquals(2, twice.meanL2At(last) / once.meanL2At(last), 0.02);
      assertEquals(4, twice.meanKlNats() / once.meanKlNats(), 0.2);
      assertEquals(1, back.meanKlNats() / once.meanKlNats(), 0.1);
      for (int row = 0; row < tokens.rows(); row++) {
        for (int pos = 0; pos < tokens.length(row); pos++) {
          assertEquals(2, twice.l2At(last).get(row, pos) / once.l2At(last).get(row, pos), 0.1);
        }
      }
      assertTrue(once.meanKlNats() > 1e-6, "the change is too small to measure");
    }
  }

  /** Labels drawn from the clean distribution: the mean rise in cross-entropy is the KL. */
  @Test
  void crossEntropyOfDrawnLabelsRisesByTheKl() {
    ModelCase c = ModelCase.of(6, Gpt2Config.of(2, 2, 16, 30, 24));
    TokenBatch tokens = TokenBatch.of(c.row(24), c.row(24));
    try (BaseRun base = c.on(backend()).baseRun(tokens, HookPoint.residPre(1))) {
      Continuation changed =
          base.continueWith(base.activation().plus(c.noise(base.activation().shape(), 0.7)));
      double[] before = Reference.doubles(base.logits());
      double[] after = Reference.doubles(changed.logits());
      CounterRandom random = new CounterRandom(c.seed());
      int vocabulary = c.config().dVocab();
      int draws = 4000;
      double sum = 0;
      double squares = 0;
      for (int draw = 0; draw < draws; draw++) {
        int position = draw % tokens.tokenCount();
        double[] p = part(before, position, vocabulary);
        double[] q = part(after, position, vocabulary);
        int label = drawn(p, random.uniform(1, 2, draw));
        double rise = Distributions.crossEntropy(q, label) - Distributions.crossEntropy(p, label);
        sum += rise;
        squares += rise * rise;
      }
      double mean = sum / draws;
      double error = Math.sqrt((squares / draws - mean * mean) / draws);
      assertEquals(changed.meanKlNats(), mean, 4 * error + 0.05 * changed.meanKlNats());
      assertTrue(error < 0.1 * mean, "the draws do not tell: " + mean + " ± " + error);
    }
  }

  private static double[] part(double[] values, int position, int width) {
    return dev.resid.reference.Float64Gpt2.part(values, position, width);
  }

  private static int drawn(double[] logits, double uniform) {
    double[] logs = Distributions.logProbabilities(logits);
    double rest = uniform;
    for (int v = 0; v < logs.length; v++) {
      rest -= Math.exp(logs[v]);
      if (rest < 0) {
        return v;
      }
    }
    return logs.length - 1;
  }

  /** Without positions and attention a token's activations depend on nothing but the token. */
  @Test
  void withoutPositionsAndAttentionAPositionSeesItsTokenOnly() {
    Gpt2Config config = Gpt2Config.of(3, 2, 16, 12, 24);
    ModelCase c = ModelCase.of(7, config);
    Map<Weight, Tensor> weights = new HashMap<>();
    for (Weight weight : Weight.all(config)) {
      Tensor tensor = c.weights().get(weight);
      boolean silent = weight.name() == WeightNames.W_pos || weight.name() == WeightNames.W_O;
      weights.put(weight, silent ? tensor.times(0) : tensor);
    }
    weights.remove(Weight.of(WeightNames.W_U));
    Gpt2 gpt2 = Gpt2.of(Gpt2Weights.of(config, weights), backend());
    TokenBatch tokens = TokenBatch.of(c.row(24), c.row(20));
    HookPoint point = last(config);
    Tensor stream = gpt2.capture(tokens, point.capture()).get(point);
    Map<Integer, Tensor> byToken = new HashMap<>();
    for (int row = 0; row < tokens.rows(); row++) {
      for (int pos = 0; pos < tokens.length(row); pos++) {
        Tensor here = stream.at(Axis.BATCH, row).at(Axis.POS, pos);
        Tensor seen = byToken.putIfAbsent(tokens.id(row, pos), here);
        if (seen != null) {
          check("row " + row + " position " + pos, c.seed()).sameBits(seen, here);
        }
      }
    }
    assertTrue(byToken.size() > 5);
    PositionValues nats = gpt2.crossEntropyNats(tokens);
    assertEquals(23, nats.length(0), "the last position has no next token");
    assertEquals(19, nats.length(1));
  }
}
