package dev.resid.tensor;

/**
 * Owns temporaries of one computation. Tensors taken from a scope hold arbitrary values at first
 * and must not be used after they are given back or the scope is closed; results that outlive the
 * computation come from {@link Backend#allocate} instead.
 */
public interface Scope extends AutoCloseable {
  /** Returns a temporary tensor with arbitrary contents. */
  Tensor take(Shape shape);

  /**
   * Gives a tensor taken from this scope back before the scope ends, so that the next {@link #take}
   * can reuse its memory. A tensor that was not taken here is left alone.
   */
  void give(Tensor tensor);

  /** Gives everything back. */
  @Override
  void close();
}
