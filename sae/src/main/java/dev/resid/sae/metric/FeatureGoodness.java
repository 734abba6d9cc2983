package dev.resid.sae.metric;

import java.util.BitSet;
import java.util.OptionalDouble;

/**
 * Whether features stand for what a model needs: over the prompts M_i in which feature i is active,
 * the mean change of the answer's log-probability and how often it was no decrease.
 *
 * @source experiment document, section 4.6
 */
public final class FeatureGoodness {
  private final double[] effects;
  private final int[] prompts;
  private final int[] scores;

  /**
   * Creates it without prompts.
   *
   * @param dSae number of features
   */
  public FeatureGoodness(int dSae) {
    effects = new double[dSae];
    prompts = new int[dSae];
    scores = new int[dSae];
  }

  /**
   * Adds a prompt.
   *
   * @param active features active at a position of the prompt's window
   * @param effectNats Δln p of the answer, with the SAE minus without
   */
  public void add(BitSet active, double effectNats) {
    active.stream()
        .forEach(
            i -> {
              effects[i] += effectNats;
              prompts[i]++;
              scores[i] += effectNats >= 0 ? 1 : -1;
            });
  }

  /** Returns in how many prompts a feature is active, |M_i|. */
  public int prompts(int feature) {
    return prompts[feature];
  }

  /** Returns the mean of Δln p over M_i, in nats; nothing if M_i is empty. */
  public OptionalDouble meanEffectNats(int feature) {
    return prompts[feature] == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(effects[feature] / prompts[feature]);
  }

  /** Returns the number of prompts of M_i with Δln p ≥ 0 minus that of the others. */
  public int score(int feature) {
    return scores[feature];
  }
}
