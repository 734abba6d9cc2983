package dev.resid.sae;

/** How an SAE turns pre-activations into features. */
public enum Architecture {
  /** f = relu(pre). */
  RELU,
  /**
   * The k largest pre-activations of a row, then relu; of equal ones the lowest index. What was
   * trained as batch top-k is published, and run, as {@link #JUMP_RELU}.
   */
  TOP_K,
  /** f = pre where pre exceeds its feature's threshold and 0, else 0. */
  JUMP_RELU,
  /** f = relu(pre·exp(r_mag) + b_mag) where pre + b_gate &gt; 0, else 0. */
  GATED
}
