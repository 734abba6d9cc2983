package dev.resid.sae.train;

import dev.resid.hook.HookPoint;
import dev.resid.train.LearningRate;

/**
 * What the training of an SAE does; two runs with the same plan, text, model and backend end in the
 * same bits.
 *
 * @param point the activation the SAE reads and replaces
 * @param dSae number of features
 * @param loss what is made small
 * @param rate learning rate by step; its total is the number of steps
 * @param batchRows rows of text a step; a local loss takes as many activations as they have tokens
 * @param rowLength tokens a row, at most n_ctx
 * @param bufferRows rows of text whose activations are shuffled together for a local loss
 * @param beta1 decay of Adam's first moment
 * @param beta2 decay of Adam's second moment
 * @param epsilon Adam's ε
 * @param clipNorm largest norm of the whole gradient
 * @param seed of the initial weights and of the order of rows and activations
 */
public record SaeTrainingPlan(
    HookPoint point,
    int dSae,
    SaeObjective loss,
    LearningRate rate,
    int batchRows,
    int rowLength,
    int bufferRows,
    double beta1,
    double beta2,
    double epsilon,
    double clipNorm,
    long seed) {
  /** Checks the ranges. */
  public SaeTrainingPlan {
    requireAtLeast("d_sae", dSae, 1);
    requireAtLeast("batch rows", batchRows, 1);
    requireAtLeast("row length", rowLength, 2);
    requireAtLeast("buffer rows", bufferRows, 1);
    if (!(clipNorm > 0)) {
      throw new IllegalArgumentException("clip norm is " + clipNorm + ", must be above 0");
    }
    if (loss instanceof TopKLoss topK && topK.k() > dSae) {
      throw new IllegalArgumentException(
          "k is " + topK.k() + ", more than the " + dSae + " features");
    }
    if (loss instanceof SaeLoss spliced) {
      for (HookPoint later : spliced.downstreamPoints()) {
        if (!point.isBefore(later)) {
          throw new IllegalArgumentException(
              later + " does not come after " + point + ", so the SAE does not change it");
        }
      }
    }
  }

  private static void requireAtLeast(String what, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(what + " is " + value + ", must be at least " + least);
    }
  }

  /**
   * Returns a plan with the usual constants: β 0.9 and 0.999, ε 1e-8, gradient norm 10, a buffer of
   * 512 rows.
   *
   * @param point the activation the SAE reads and replaces
   * @param dSae number of features
   * @param loss what is made small
   * @param rate learning rate by step
   * @param batchRows rows of text a step
   * @param rowLength tokens a row
   * @param seed of weights and order
   */
  public static SaeTrainingPlan of(
      HookPoint point,
      int dSae,
      SaeObjective loss,
      LearningRate rate,
      int batchRows,
      int rowLength,
      long seed) {
    return new SaeTrainingPlan(
        point, dSae, loss, rate, batchRows, rowLength, 512, 0.9, 0.999, 1e-8, 10, seed);
  }

  /**
   * Returns this plan with another buffer.
   *
   * @param rows rows of text whose activations are shuffled together
   */
  public SaeTrainingPlan withBufferRows(int rows) {
    return new SaeTrainingPlan(
        point, dSae, loss, rate, batchRows, rowLength, rows, beta1, beta2, epsilon, clipNorm, seed);
  }

  /** Returns the tokens of one step. */
  public int tokensPerStep() {
    return Math.multiplyExact(batchRows, rowLength);
  }

  /** Returns one line that two runs share only if they do the same. */
  String fingerprint() {
    return toString();
  }
}
