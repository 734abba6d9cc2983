package dev.resid.sae.dictionary;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.dictionary.FeatureActivations.Example;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FeatureActivationsTest extends OnEachCpuBackend {
  private static final HookPoint POINT = HookPoint.residPre(1);
  private static final int FEATURES = 12;

  /** More than are run at a time. */
  private static final int ROWS = 400;

  private static final TokenBatch TOKENS =
      SmallSaes.tokens(9, 30, IntStream.generate(() -> 11).limit(ROWS).toArray());

  private List<FeatureActivations> scan() {
    Gpt2 gpt2 = Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend());
    Sae sae = SmallSaes.random(POINT, 8, FEATURES, 5, backend());
    return FeatureActivations.scan(gpt2, sae, TOKENS, IntStream.range(0, FEATURES).toArray());
  }

  @Test
  void aScanFindsWhatEncodingGives() {
    Gpt2 gpt2 = Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend());
    Sae sae = SmallSaes.random(POINT, 8, FEATURES, 5, backend());
    float[] dense =
        sae.encode(gpt2.capture(TOKENS, POINT.capture()).get(POINT)).toDense().toArray();
    for (FeatureActivations one : scan()) {
      double sum = 0;
      int active = 0;
      for (int row = 0; row < TOKENS.rows(); row++) {
        float[] expected = new float[11];
        for (int pos = 0; pos < 11; pos++) {
          expected[pos] = dense[(row * 11 + pos) * FEATURES + one.feature()];
          sum += expected[pos];
          active += expected[pos] != 0 ? 1 : 0;
        }
        assertArrayEquals(expected, one.row(row));
      }
      assertEquals(active, one.activeTokens());
      assertEquals(active / (11.0 * ROWS), one.frequency());
      assertEquals(active == 0 ? 0 : sum / active, one.meanWhereActive(), 1e-6);
    }
  }

  /** T29 of the definitions. */
  @Test
  void everyBinGivesOneExampleThatLiesInIt() {
    int bins = 7;
    for (FeatureActivations one : scan()) {
      List<Example> examples = one.binned(bins, 3);
      double low = one.smallest();
      double high = one.largest();
      boolean[] filled = new boolean[bins];
      for (int row = 0; row < TOKENS.rows(); row++) {
        for (float value : one.row(row)) {
          for (int b = 0; b < bins; b++) {
            filled[b] |= inside(value, low, high, b, bins);
          }
        }
      }
      int at = 0;
      for (int b = bins - 1; b >= 0; b--) {
        if (filled[b]) {
          Example example = examples.get(at++);
          assertTrue(
              inside(example.activation(), low, high, b, bins),
              one.feature() + ": " + example + " in bin " + b);
          assertEquals(example.activation(), one.row(example.row())[example.pos()]);
        }
      }
      assertEquals(at, examples.size(), "feature " + one.feature());
      assertTrue(examples.stream().allMatch(e -> e.activation() > low), "inactive ones");
    }
  }

  private static boolean inside(double value, double low, double high, int bin, int bins) {
    return value > low + (high - low) * bin / bins
        && value <= low + (high - low) * (bin + 1) / bins;
  }

  @Test
  void otherSeedsDrawOtherExamplesAndTheSameSeedTheSame() {
    FeatureActivations one = scan().getFirst();
    assertEquals(one.binned(5, 3), one.binned(5, 3));
    assertTrue(IntStream.range(0, 20).mapToObj(seed -> one.binned(5, seed)).distinct().count() > 1);
  }

  @Test
  void topExamplesAreTheLargest() {
    for (FeatureActivations one : scan()) {
      double[] all =
          IntStream.range(0, TOKENS.rows())
              .mapToObj(one::row)
              .flatMapToDouble(row -> IntStream.range(0, row.length).mapToDouble(pos -> -row[pos]))
              .filter(v -> v != 0)
              .sorted()
              .limit(6)
              .map(v -> -v)
              .toArray();
      assertArrayEquals(all, one.top(6).stream().mapToDouble(Example::activation).toArray());
      List<Example> ofRows = one.topOfRows(6);
      assertEquals(ofRows.size(), ofRows.stream().map(Example::row).distinct().count());
      for (Example example : ofRows) {
        double largest =
            IntStream.range(0, 11).mapToDouble(p -> one.row(example.row())[p]).max().orElse(0);
        assertEquals(largest, example.activation());
      }
    }
  }

  @Test
  void aHistogramCountsEveryTokenOnce() {
    for (FeatureActivations one : scan()) {
      ActivationHistogram histogram = one.histogram(9);
      assertEquals(11 * ROWS - one.activeTokens(), histogram.inactive());
      assertEquals(one.activeTokens(), Arrays.stream(histogram.counts()).sum());
      assertTrue(one.activeTokens() == 0 || histogram.counts()[8] > 0, "the largest has a bin");
    }
  }

  @Test
  void binsHaveTheirUpperEdgesAndTheSmallestValueHasNone() {
    for (int bin = 1; bin <= 10; bin++) {
      double upper = 0.1 + (0.9 - 0.1) * bin / 10;
      assertEquals(bin, ActivationHistogram.bin(upper, 0.1, 0.9, 10));
      assertEquals(
          Math.min(10, bin + 1), ActivationHistogram.bin(Math.nextUp(upper), 0.1, 0.9, 10));
    }
    assertEquals(0, ActivationHistogram.bin(0.1, 0.1, 0.9, 10));
  }

  @Test
  void aFeatureThatDoesNotExistIsRefused() {
    Gpt2 gpt2 = Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend());
    Sae sae = SmallSaes.random(POINT, 8, FEATURES, 5, backend());
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> FeatureActivations.scan(gpt2, sae, TOKENS, FEATURES));
  }
}
