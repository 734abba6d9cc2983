package dev.resid.backend.cuda;

import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Tensor;

/** Attention and its parts, forward and backward. */
final class AttentionKernels {
  private final Calls calls;
  private final AttentionOps attention;

  AttentionKernels(Calls calls, AttentionOps attention) {
    this.calls = calls;
    this.attention = attention;
  }

  void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
    AttentionOps.Sizes n = AttentionOps.Sizes.of(q, k).keys("v", v).queries("z", z);
    calls.run(
        call ->
            attention.attention(
                call, n, call.in(q), call.in(k), call.in(v), spec, call.out("z", z)));
  }

  void attentionScores(Tensor q, Tensor k, AttentionSpec spec, Tensor scores) {
    AttentionOps.Sizes n = AttentionOps.Sizes.of(q, k).pattern("scores", scores);
    calls.run(
        call ->
            AttentionOps.scores(call, n, call.in(q), call.in(k), spec, call.out("scores", scores)));
  }

  void attentionMix(Tensor pattern, Tensor v, Tensor z) {
    AttentionOps.Sizes n = AttentionOps.Sizes.of(z, v).pattern("pattern", pattern);
    calls.run(call -> AttentionOps.mix(call, n, call.in(pattern), call.in(v), call.out("z", z)));
  }

  void attentionBackward(
      Tensor dZ,
      Tensor q,
      Tensor k,
      Tensor v,
      AttentionSpec spec,
      Tensor dQ,
      Tensor dK,
      Tensor dV) {
    AttentionOps.Sizes n =
        AttentionOps.Sizes.of(q, k)
            .keys("v", v)
            .queries("dZ", dZ)
            .queries("dQ", dQ)
            .keys("dK", dK)
            .keys("dV", dV);
    calls.run(
        call ->
            attention.backward(
                call,
                n,
                new AttentionOps.Gradients(
                    call.in(dZ),
                    call.in(q),
                    call.in(k),
                    call.in(v),
                    call.out("dQ", dQ),
                    call.out("dK", dK),
                    call.out("dV", dV)),
                spec));
  }

  void attentionMixBackward(Tensor dZ, Tensor pattern, Tensor v, Tensor dPattern, Tensor dV) {
    AttentionOps.Sizes n =
        AttentionOps.Sizes.of(dZ, v)
            .pattern("pattern", pattern)
            .pattern("dPattern", dPattern)
            .keys("dV", dV);
    calls.run(
        call ->
            AttentionOps.mixBackward(
                call,
                n,
                call.in(dZ),
                call.in(pattern),
                call.in(v),
                call.out("dPattern", dPattern),
                call.out("dV", dV)));
  }

  void attentionScoresBackward(
      Tensor dScores, Tensor q, Tensor k, AttentionSpec spec, Tensor dQ, Tensor dK) {
    AttentionOps.Sizes n =
        AttentionOps.Sizes.of(q, k).pattern("dScores", dScores).queries("dQ", dQ).keys("dK", dK);
    calls.run(
        call ->
            AttentionOps.scoresBackward(
                call,
                n,
                call.in(dScores),
                call.in(q),
                call.in(k),
                spec,
                call.out("dQ", dQ),
                call.out("dK", dK)));
  }
}
