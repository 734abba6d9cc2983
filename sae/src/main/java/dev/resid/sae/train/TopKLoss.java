package dev.resid.sae.train;

import dev.resid.sae.SaeConfig.TopKScale;

/**
 * Loss of a top-k SAE, f = relu of the k largest of (x − b_dec)·W_enc + b_enc, x̂ = f·W_dec +
 * b_dec: reconstruction·(MSE(x̂, x) + auxiliary·min(n/a, 1)·MSE(ê, x − x̂)). With n dead features
 * and a half of d_in, ê is the reconstruction of what is missing by the min(a, n) largest
 * pre-activations of dead features, b_dec added.
 *
 * @param k features kept
 * @param scale whether decoder norms count when the largest are chosen
 * @param reconstruction weight of the error; d_in makes the mean over the width a sum
 * @param auxiliary weight of the loss of dead features, 0 for none
 * @param deadAfterTokens tokens without activity after which a feature counts as dead
 * @source Gao et al. 2024, "Scaling and evaluating sparse autoencoders", sections 2.3 and A.2;
 *     SAELens 6.18.0
 */
public record TopKLoss(
    int k, TopKScale scale, double reconstruction, double auxiliary, long deadAfterTokens)
    implements SaeObjective {

  /** Checks the ranges. */
  public TopKLoss {
    if (k < 1) {
      throw new IllegalArgumentException("k is " + k + ", must be at least 1");
    }
    LossWeight.require("reconstruction", reconstruction);
    LossWeight.require("auxiliary", auxiliary);
    if (reconstruction == 0) {
      throw new IllegalArgumentException("a top-k SAE needs a weight of its error");
    }
    if (deadAfterTokens < 1) {
      throw new IllegalArgumentException(
          "features count as dead after " + deadAfterTokens + " tokens, must be at least 1");
    }
  }

  /**
   * Returns the loss of the paper: plain pre-activations compete, an auxiliary weight of 1/32,
   * features are dead after ten million tokens.
   *
   * @param k features kept
   */
  public static TopKLoss published(int k) {
    return new TopKLoss(k, TopKScale.PLAIN, 1, 1.0 / 32, 10_000_000);
  }

  /**
   * Returns this loss with another window.
   *
   * @param tokens tokens without activity after which a feature counts as dead
   */
  public TopKLoss withDeadAfter(long tokens) {
    return new TopKLoss(k, scale, reconstruction, auxiliary, tokens);
  }

  @Override
  public boolean isLocal() {
    return true;
  }
}
