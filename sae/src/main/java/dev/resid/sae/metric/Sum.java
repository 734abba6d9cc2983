package dev.resid.sae.metric;

/**
 * What is summed over tokens; x is the activation, y its reconstruction, x̄ the mean activation.
 */
enum Sum {
  /** 1. */
  TOKENS,
  /** Number of active features. */
  L0,
  /** Σ |f_i|. */
  L1,
  /** ‖y − x‖². */
  SQUARED_ERROR,
  /** ‖x‖². */
  SQUARED_NORM,
  /** ‖x − x̄‖². */
  SQUARED_DEVIATION,
  /** ‖y‖². */
  SQUARED_NORM_OUT,
  /** x·y. */
  PRODUCT,
  /** ‖x‖. */
  NORM,
  /** ‖y‖. */
  NORM_OUT,
  /** Tokens whose x is not 0. */
  NORM_TOKENS,
  /** ‖y‖/‖x‖, over those. */
  NORM_RATIO,
  /** ‖y − x‖²/(width·‖x‖), over those. */
  ERROR_BY_NORM,
  /** Tokens at which neither x nor y is 0. */
  COSINE_TOKENS,
  /** x·y/(‖x‖·‖y‖), over those. */
  COSINE,
  /** Tokens whose x is not x̄. */
  DEVIATION_TOKENS,
  /** ‖y − x‖²/‖x − x̄‖², over those. */
  ERROR_BY_SQUARED_DEVIATION,
  /** ‖y − x‖²/(width·‖x − x̄‖), over those. */
  ERROR_BY_DEVIATION,
  /** Tokens that are followed by another. */
  PREDICTIONS,
  /** Cross-entropy of the next token, clean run. */
  CE_CLEAN,
  /** The same with the reconstruction. */
  CE_SAE,
  /** The same with 0. */
  CE_ZERO,
  /** The same with x̄. */
  CE_MEAN,
  /** KL(clean‖with the reconstruction). */
  KL_SAE,
  /** KL(clean‖with 0). */
  KL_ZERO,
  /** KL(clean‖with x̄). */
  KL_MEAN
}
