package dev.resid.backend.vector;

import dev.resid.backend.vector.AttentionKernels.Sizes;
import dev.resid.tensor.OperandChecks;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;

/** Checks the shapes of one attention call: [B, T, H, D], [B, S, H, D] and [B, H, T, S]. */
record AttentionOperands(Sizes sizes) {
  /** Takes the sizes from a tensor of queries and one of keys. */
  static AttentionOperands of(Tensor queries, Tensor keys) {
    int[] q = queries.shape().sizes();
    int[] k = keys.shape().sizes();
    if (q.length != 4 || k.length != 4 || q[0] != k[0] || q[2] != k[2] || q[3] != k[3]) {
      throw new ShapeMismatchException(
          "queries are "
              + queries.shape()
              + " and keys are "
              + keys.shape()
              + ", expected [batch, pos, head, d_head] and [batch, key_pos, head, d_head]");
    }
    return new AttentionOperands(new Sizes(q[0], q[1], k[1], q[2], q[3]));
  }

  AttentionOperands queries(String what, Tensor x) {
    OperandChecks.requireSizes(
        what, x, sizes.batch(), sizes.queries(), sizes.heads(), sizes.width());
    return this;
  }

  AttentionOperands keys(String what, Tensor x) {
    OperandChecks.requireSizes(what, x, sizes.batch(), sizes.keys(), sizes.heads(), sizes.width());
    return this;
  }

  AttentionOperands pattern(String what, Tensor x) {
    OperandChecks.requireSizes(
        what, x, sizes.batch(), sizes.heads(), sizes.queries(), sizes.keys());
    return this;
  }
}
