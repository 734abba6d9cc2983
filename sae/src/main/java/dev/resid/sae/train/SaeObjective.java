package dev.resid.sae.train;

/** What the training of an SAE makes small, and with it the architecture that is trained. */
public sealed interface SaeObjective permits SaeLoss, BloomLoss, TopKLoss {
  /** Returns whether it looks at nothing but the activation the SAE reads. */
  boolean isLocal();

  /**
   * Refuses a weight that is not a number of at least 0.
   *
   * @param what names it
   * @param weight the number
   */
  static void requireWeight(String what, double weight) {
    if (!(weight >= 0) || Double.isInfinite(weight)) {
      throw new IllegalArgumentException(
          "the weight of the " + what + " loss is " + weight + ", must be a number of at least 0");
    }
  }
}
