package dev.resid.backend;

/** How a GPU multiplies matrices. Backends on the CPU always multiply in float32. */
public enum Precision {
  /** Factors, products and sums in float32. */
  FP32,
  /**
   * Factors rounded to the ten bits of mantissa that tensor cores multiply fastest, sums in
   * float32: faster on a GPU that has them, with errors of about 1e-3 of a product's terms.
   */
  TF32
}
