package dev.resid.sae.train;

import dev.resid.tensor.Tensor;
import java.util.Arrays;

/** When each feature was last active, in tokens. */
final class FeatureActivity {
  /** Counts stop here, where every window has passed. */
  private static final int MOST = 1 << 30;

  private final int[] idleTokens;

  FeatureActivity(int dSae) {
    idleTokens = new int[dSae];
  }

  /**
   * Goes on by some tokens.
   *
   * @param features dense, [R, d_sae]
   * @return active (token, feature) pairs
   */
  long count(Tensor features) {
    float[] values = features.toArray();
    long active = 0;
    for (int from = 0; from < values.length; from += idleTokens.length) {
      for (int i = 0; i < idleTokens.length; i++) {
        if (values[from + i] > 0) {
          active++;
          idleTokens[i] = 0;
        } else {
          idleTokens[i] = Math.min(MOST, idleTokens[i] + 1);
        }
      }
    }
    return active;
  }

  /** Returns for every feature whether it was not active in that many tokens. */
  boolean[] deadFor(long tokens) {
    boolean[] dead = new boolean[idleTokens.length];
    for (int i = 0; i < dead.length; i++) {
      dead[i] = idleTokens[i] >= Math.min(MOST, tokens);
    }
    return dead;
  }

  /** Returns the share of features not active in that many tokens. */
  double deadShare(long tokens) {
    return (double) Arrays.stream(idleTokens).filter(i -> i >= Math.min(MOST, tokens)).count()
        / idleTokens.length;
  }

  int[] idleTokens() {
    return idleTokens.clone();
  }

  /** Goes on from counts that {@link #idleTokens} gave, one a feature. */
  void resume(int[] idle) {
    System.arraycopy(idle, 0, idleTokens, 0, idleTokens.length);
  }
}
