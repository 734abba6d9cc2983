package dev.resid.sae.metric;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class FrequencyHistogramTest {
  @Test
  void everyFeatureIsCountedOnceInItsBin() {
    long tokens = 1000;
    long[] active =
        LongStream.concat(LongStream.of(0, 0), LongStream.rangeClosed(1, 1000)).toArray();
    FrequencyHistogram histogram = FrequencyHistogram.of(active, tokens);
    assertEquals(2, histogram.dead());
    assertEquals(1000, LongStream.of(histogram.counts()).sum());
    assertEquals(1, histogram.edges()[histogram.edges().length - 1]);
    assertTrue(histogram.edges()[0] <= 1e-3 * (1 + 1e-12));
    long[] expected = new long[histogram.counts().length];
    for (long n : active) {
      for (int b = 0; n > 0 && b < expected.length; b++) {
        boolean last = b == expected.length - 1;
        double f = (double) n / tokens;
        double low = b == 0 ? 0 : histogram.edges()[b];
        expected[b] += low <= f && (f < histogram.edges()[b + 1] || last) ? 1 : 0;
      }
    }
    assertArrayEquals(expected, histogram.counts());
  }

  @Test
  void alwaysActiveAndOnceActiveFeaturesHaveABin() {
    assertArrayEquals(
        new long[] {1, 0, 0, 0, 1}, FrequencyHistogram.of(new long[] {1, 10}, 10).counts());
    assertArrayEquals(new long[] {1}, FrequencyHistogram.of(new long[] {1}, 1).counts());
  }

  @Test
  void denseIsAboveATenth() {
    assertEquals(1, FrequencyHistogram.dense(new long[] {10, 11, 0}, 100));
  }
}
