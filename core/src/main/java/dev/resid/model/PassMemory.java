package dev.resid.model;

import dev.resid.hook.Site;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;

/**
 * Memory of one pass. A plain pass gives intermediate tensors back as soon as they are used up; a
 * recorded one keeps what the backward pass reads.
 */
interface PassMemory {
  /** Returns a temporary with arbitrary contents. */
  Tensor take(Shape shape);

  /** Says that the forward pass does not read the tensor any more. */
  void done(Tensor tensor);

  /** Tells the value an activation finally has. */
  void record(Site site, int layer, Tensor value);

  /** Returns whether activations are recorded, so that none may be skipped by a fused kernel. */
  boolean recording();

  /** A pass that records nothing. */
  record Plain(Scope scope) implements PassMemory {
    @Override
    public Tensor take(Shape shape) {
      return scope.take(shape);
    }

    @Override
    public void done(Tensor tensor) {
      scope.give(tensor);
    }

    @Override
    public void record(Site site, int layer, Tensor value) {}

    @Override
    public boolean recording() {
      return false;
    }
  }
}
