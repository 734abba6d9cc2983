package dev.resid.sae.train;

/**
 * Bloom's loss for f = relu((x − b_dec)·W_enc + b_enc), x̂ = f·W_dec + b_dec: reconstruction·mean
 * over tokens and width of (x̂ − x)²/s + l1·mean over tokens of Σ f_i·w_i, and ghost gradients for
 * features that have not been active for long.
 *
 * @param reconstruction weight of the error; d_in makes the mean over the width a sum
 * @param errorScale s, by token
 * @param l1 weight of the features' sum, λ
 * @param l1Weight w, by feature
 * @param rows whether decoder rows keep unit norm
 * @param ghosts whether dead features get gradients
 * @param deadAfterTokens tokens without activity after which a feature counts as dead
 * @source Bloom 2024, "Open source sparse autoencoders for all residual stream layers of GPT2
 *     small"; SAELens 1.8.0 and 6.18.0; ghost gradients: Jermyn and Templeton 2024, "Ghost grads:
 *     an improvement on resampling"
 */
public record BloomLoss(
    double reconstruction,
    ErrorScale errorScale,
    double l1,
    L1Weight l1Weight,
    DecoderRows rows,
    GhostGradients ghosts,
    long deadAfterTokens)
    implements SaeObjective {

  /** What a token's squared error is divided by. */
  public enum ErrorScale {
    /** 1. */
    NONE,
    /** ‖x‖ + 1e-6. */
    NORM,
    /** ‖x − x̄‖ + 1e-6, x̄ the mean of the step's activations. */
    CENTRED_NORM
  }

  /** What a feature's value is multiplied by in the penalty. */
  public enum L1Weight {
    /** 1. */
    PLAIN,
    /** The norm of its decoder row. */
    DECODER_NORM
  }

  /** What holds for decoder rows. */
  public enum DecoderRows {
    /** Nothing. */
    FREE,
    /**
     * They have unit norm at every step; the part of the gradient along each row is removed before
     * the update.
     */
    UNIT
  }

  /** What dead features get. */
  public enum GhostGradients {
    /** Nothing. */
    OFF,
    /**
     * A loss that pulls Σ exp(pre)·W_dec over dead features, scaled to half the norm of what the
     * reconstruction misses, towards that; its size equals that of the error.
     */
    ON
  }

  /** Checks the ranges. */
  public BloomLoss {
    LossWeight.require("reconstruction", reconstruction);
    LossWeight.require("L1", l1);
    if (reconstruction == 0) {
      throw new IllegalArgumentException("a loss needs a term beside sparsity");
    }
    if (deadAfterTokens < 1) {
      throw new IllegalArgumentException(
          "features count as dead after " + deadAfterTokens + " tokens, must be at least 1");
    }
  }

  /**
   * Returns the loss of gpt2-small-res-jb: mean error over ‖x‖, unit rows, ghost gradients after
   * 5000 steps of 4096 tokens.
   *
   * @param l1 λ, 8e-5 there
   */
  public static BloomLoss published(double l1) {
    return new BloomLoss(
        1, ErrorScale.NORM, l1, L1Weight.PLAIN, DecoderRows.UNIT, GhostGradients.ON, 5000L * 4096);
  }

  /**
   * Returns this loss with another window.
   *
   * @param tokens tokens without activity after which a feature counts as dead
   */
  public BloomLoss withDeadAfter(long tokens) {
    return new BloomLoss(reconstruction, errorScale, l1, l1Weight, rows, ghosts, tokens);
  }

  @Override
  public boolean isLocal() {
    return true;
  }
}
