package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every GPT-2, checked on random small models. */
class ForwardPropertiesTest extends OnEachCpuBackend {
  private static Capture[] everything(ModelCase c) {
    return Reference.points(c.config()).stream().map(HookPoint::capture).toArray(Capture[]::new);
  }

  private TensorAssert check(ModelCase c, Object what) {
    return check(what + " of " + c, c.seed());
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void laterTokensDoNotChangeEarlierLogitsOrActivations(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int[] row = c.row(c.config().nCtx());
    ForwardResult before = gpt2.forward(TokenBatch.of(row), everything(c));
    for (int changed = 1; changed < row.length; changed++) {
      int[] other = row.clone();
      other[changed] = (other[changed] + 1) % c.config().dVocab();
      ForwardResult after = gpt2.forward(TokenBatch.of(other), everything(c));
      check(c, "logits before token " + changed)
          .sameBits(
              firstPositions(before.logits(), changed), firstPositions(after.logits(), changed));
      for (HookPoint point : before.cache().points()) {
        check(c, point + " before token " + changed)
            .sameBits(
                firstPositions(before.cache().get(point), changed),
                firstPositions(after.cache().get(point), changed));
      }
    }
  }

  private static Tensor firstPositions(Tensor tensor, int count) {
    return Reference.rowOf(tensor, 0, count);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void appendedTokensDoNotChangeEarlierLogits(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int[] row = c.row(c.config().nCtx());
    Tensor whole = gpt2.forward(TokenBatch.of(row)).logits();
    for (int length = 1; length <= row.length; length++) {
      Tensor start = gpt2.forward(TokenBatch.of(Arrays.copyOf(row, length))).logits();
      check(c, "logits of " + length).sameBits(firstPositions(whole, length), start);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void patternRowsSumToOneAndAreZeroAboveTheDiagonal(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    for (int layer = 0; layer < c.config().nLayers(); layer++) {
      HookPoint point = HookPoint.pattern(layer);
      Tensor pattern = gpt2.capture(c.tokens(), point.capture()).get(point);
      Tensor scores =
          gpt2.capture(c.tokens(), HookPoint.at(Site.ATTN_SCORES, layer).capture())
              .get(HookPoint.at(Site.ATTN_SCORES, layer));
      for (int row = 0; row < c.tokens().rows(); row++) {
        for (int head = 0; head < c.config().nHeads(); head++) {
          for (int query = 0; query < c.tokens().length(row); query++) {
            double sum = 0;
            for (int key = 0; key < c.tokens().maxLength(); key++) {
              float weight = pattern.get(row, head, query, key);
              if (key > query) {
                assertEquals(0, Float.floatToRawIntBits(weight), c::toString);
                assertEquals(Float.NEGATIVE_INFINITY, scores.get(row, head, query, key));
              }
              sum += weight;
            }
            // Each weight is rounded a few times, so the sum is off by a few u of 1.
            assertEquals(1, sum, 8 * Tolerance.U, () -> point + " of " + c);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void streamIsTheSumOfWhatIsAddedBitForBit(ModelCase c) {
    var cache = c.on(backend()).forward(c.tokens(), everything(c)).cache();
    Tensor stream = cache.get(HookPoint.embed()).plus(cache.get(HookPoint.posEmbed()));
    for (int layer = 0; layer < c.config().nLayers(); layer++) {
      check(c, HookPoint.residPre(layer)).sameBits(stream, cache.get(HookPoint.residPre(layer)));
      stream = stream.plus(cache.get(HookPoint.attnOut(layer)));
      check(c, HookPoint.residMid(layer)).sameBits(stream, cache.get(HookPoint.residMid(layer)));
      stream = stream.plus(cache.get(HookPoint.mlpOut(layer)));
      check(c, HookPoint.residPost(layer)).sameBits(stream, cache.get(HookPoint.residPost(layer)));
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void whatTheHeadsWriteSumsToWhatAttentionWrites(ModelCase c) {
    var cache = c.on(backend()).forward(c.tokens(), everything(c)).cache();
    for (int layer = 0; layer < c.config().nLayers(); layer++) {
      Tensor result = cache.get(HookPoint.at(Site.RESULT, layer));
      Tensor out = cache.get(HookPoint.attnOut(layer));
      float[] bias = c.weights().get(Weight.of(WeightNames.b_O, layer)).toArray();
      int width = c.config().dModel();
      double[] sums = new double[Math.toIntExact(out.elements())];
      double[] allowed = new double[sums.length];
      float[] parts = result.toArray();
      for (int i = 0; i < sums.length; i++) {
        boolean exists = i / width % c.tokens().maxLength() < c.tokens().length(rowOf(c, i, width));
        sums[i] = exists ? bias[i % width] : 0;
        double magnitude = Math.abs(sums[i]);
        for (int head = 0; head < c.config().nHeads(); head++) {
          float part = parts[(i / width * c.config().nHeads() + head) * width + i % width];
          sums[i] += part;
          magnitude += Math.abs(part);
        }
        // A product of d_model terms, in one chain here and in one a head there.
        allowed[i] = 8 * (c.config().dModel() + 3) * Tolerance.U * Math.max(1, magnitude);
      }
      check(c, HookPoint.attnOut(layer)).close(sums, out, Tolerance.each(allowed));
    }
  }

  private static int rowOf(ModelCase c, int index, int width) {
    return index / width / c.tokens().maxLength();
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void repeatedRunsGiveTheSameBits(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    Tensor first = gpt2.forward(c.tokens()).logits();
    gpt2.forward(c.tokens(), everything(c));
    check(c, "logits").sameBits(first, gpt2.forward(c.tokens()).logits());
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void crossEntropyIsMinusTheLogProbabilityOfTheNextToken(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    Tensor logits = gpt2.forward(c.tokens()).logits();
    PositionValues nats = gpt2.crossEntropyNats(c.tokens());
    int count = 0;
    for (int row = 0; row < c.tokens().rows(); row++) {
      assertEquals(c.tokens().length(row) - 1, nats.length(row), "one less than tokens");
      count += nats.length(row);
      for (int pos = 0; pos < nats.length(row); pos++) {
        double[] one = Reference.doubles(logits.at(Axis.BATCH, row).at(Axis.POS, pos));
        double want =
            dev.resid.reference.Distributions.crossEntropy(one, c.tokens().id(row, pos + 1));
        // The kernel reads the same logits; its log-sum-exp is in float64 or compensated float.
        double allowed = 16 * Tolerance.U * Math.max(1, Reference.largest(one));
        assertEquals(want, nats.get(row, pos), allowed, c::toString);
      }
    }
    assertEquals(c.tokens().tokenCount() - c.tokens().rows(), count);
  }
}
