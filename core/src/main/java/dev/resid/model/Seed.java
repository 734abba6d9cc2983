package dev.resid.model;

import dev.resid.hook.HookPoint;
import dev.resid.tensor.Tensor;

/** A term of the scalar whose gradient is taken; several are added up. */
public sealed interface Seed {
  /**
   * The mean over all next tokens of the batch of −ln q(token), in nats, times a factor.
   *
   * @param factor 1 for the loss itself
   */
  record CrossEntropy(double factor) implements Seed {}

  /**
   * A scalar of the logits.
   *
   * @param gradient its gradient with respect to the logits, [batch, pos, d_vocab]
   */
  record Logits(Tensor gradient) implements Seed {}

  /**
   * A scalar of an activation.
   *
   * @param point which activation
   * @param gradient its gradient with respect to that activation, of the same shape
   */
  record Activation(HookPoint point, Tensor gradient) implements Seed {}

  /** Returns the mean next-token cross-entropy. */
  static Seed crossEntropy() {
    return new CrossEntropy(1);
  }

  /** Returns a scalar of the logits with this gradient, [batch, pos, d_vocab]. */
  static Seed logits(Tensor gradient) {
    return new Logits(gradient);
  }

  /** Returns a scalar of an activation with this gradient. */
  static Seed activation(HookPoint point, Tensor gradient) {
    return new Activation(point, gradient);
  }
}
