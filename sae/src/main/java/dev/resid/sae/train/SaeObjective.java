package dev.resid.sae.train;

/** What the training of an SAE makes small, and with it the architecture that is trained. */
public sealed interface SaeObjective permits SaeLoss, BloomLoss, TopKLoss {
  /** Returns whether it looks at nothing but the activation the SAE reads. */
  boolean isLocal();
}
