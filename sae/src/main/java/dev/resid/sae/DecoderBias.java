package dev.resid.sae;

/** Where b_dec enters. */
public enum DecoderBias {
  /** Subtracted from the input before encoding, and added after decoding. */
  SUBTRACTED_AND_ADDED,
  /** Only added after decoding. */
  ADDED
}
