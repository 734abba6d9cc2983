package dev.resid.sae.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.random.CounterRandom;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class FeatureGoodnessTest {
  private static final int FEATURES = 15;
  private static final int PROMPTS = 40;
  private static final CounterRandom RANDOM = new CounterRandom(4);

  private static BitSet active(int prompt) {
    BitSet active = new BitSet();
    for (int i = 0; i < FEATURES - 1; i++) { // the last one never
      active.set(i, RANDOM.uniform(0, prompt, i) < 0.3);
    }
    return active;
  }

  @Test
  void scoresLieWithinTheNumberOfPromptsAndHaveItsParity() {
    FeatureGoodness goodness = new FeatureGoodness(FEATURES);
    double[] sums = new double[FEATURES];
    int[] counts = new int[FEATURES];
    for (int p = 0; p < PROMPTS; p++) {
      double effect = RANDOM.uniform(1, p, 0) - 0.6;
      goodness.add(active(p), effect);
      active(p).stream()
          .forEach(
              i -> {
                sums[i] += effect;
                counts[i]++;
              });
    }
    for (int i = 0; i < FEATURES; i++) {
      int prompts = goodness.prompts(i);
      assertEquals(counts[i], prompts);
      assertTrue(Math.abs(goodness.score(i)) <= prompts);
      assertEquals(0, (prompts - goodness.score(i)) % 2);
      if (prompts > 0) {
        assertEquals(sums[i] / counts[i], goodness.meanEffectNats(i).orElseThrow(), 1e-12);
      }
    }
    assertTrue(goodness.meanEffectNats(FEATURES - 1).isEmpty());
  }

  @Test
  void withoutEffectEveryPromptCountsForTheFeature() {
    FeatureGoodness goodness = new FeatureGoodness(FEATURES);
    for (int p = 0; p < PROMPTS; p++) {
      goodness.add(active(p), 0);
    }
    for (int i = 0; i < FEATURES; i++) {
      assertEquals(goodness.prompts(i), goodness.score(i));
    }
  }
}
