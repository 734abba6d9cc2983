package dev.resid.tensor;

/**
 * Element-wise functions a GPT-2 checkpoint can name, with their exact formulas. Φ is the standard
 * normal distribution function, σ the logistic function.
 */
public enum Activation {
  /** x. */
  IDENTITY,
  /** 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
  GELU_NEW,
  /** x·Φ(x), by the error function. */
  GELU,
  /** 0.5·x·(1 + tanh(0.7978845608·x·(1 + 0.044715·x²))). */
  GELU_FAST,
  /** x·σ(1.702·x). */
  QUICK_GELU,
  /** max(x, 0); NaN stays NaN. */
  RELU,
  /** x·σ(x). */
  SILU,
  /** tanh(x). */
  TANH
}
