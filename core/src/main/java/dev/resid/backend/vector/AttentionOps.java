package dev.resid.backend.vector;

import static dev.resid.backend.vector.Operands.in;
import static dev.resid.backend.vector.Operands.out;

import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Tensor;

/** Attention and its gradients: checks operands and runs the kernels. */
final class AttentionOps {
  private final AttentionKernels kernels;
  private final AttentionGradients gradients;
  private final FirstPasses firstPasses;

  AttentionOps(Workers workers, FirstPasses firstPasses) {
    this.firstPasses = firstPasses;
    kernels = new AttentionKernels(workers);
    gradients = new AttentionGradients(workers);
  }

  void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
    var sizes = AttentionOperands.of(q, k).keys("v", v).queries("z", z).sizes();
    if (firstPasses.take(sizes.batch() * sizes.queries(), SingleQuery.plainNanos(sizes))) {
      kernels.attentionQueryByQuery(in(q), in(k), in(v), sizes, spec, true, out(z));
    } else if (sizes.queries() == 1) {
      kernels.attentionQueryByQuery(in(q), in(k), in(v), sizes, spec, false, out(z));
    } else {
      kernels.attention(in(q), in(k), in(v), sizes, spec, out(z));
    }
  }

  void attentionScores(Tensor q, Tensor k, AttentionSpec spec, Tensor scores) {
    var sizes = AttentionOperands.of(q, k).pattern("scores", scores).sizes();
    kernels.attentionScores(in(q), in(k), sizes, spec, out(scores));
  }

  void attentionMix(Tensor pattern, Tensor v, Tensor z) {
    var sizes = AttentionOperands.of(z, v).pattern("pattern", pattern).sizes();
    kernels.attentionMix(in(pattern), in(v), sizes, out(z));
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
    var sizes =
        AttentionOperands.of(q, k)
            .keys("v", v)
            .queries("dZ", dZ)
            .queries("dQ", dQ)
            .keys("dK", dK)
            .keys("dV", dV)
            .sizes();
    gradients.attentionBackward(
        in(dZ), in(q), in(k), in(v), sizes, spec, out(dQ), out(dK), out(dV));
  }

  void attentionMixBackward(Tensor dZ, Tensor pattern, Tensor v, Tensor dPattern, Tensor dV) {
    var sizes =
        AttentionOperands.of(dZ, v)
            .pattern("pattern", pattern)
            .pattern("dPattern", dPattern)
            .keys("dV", dV)
            .sizes();
    gradients.attentionMixBackward(in(dZ), in(pattern), in(v), sizes, out(dPattern), out(dV));
  }

  void attentionScoresBackward(
      Tensor dScores, Tensor q, Tensor k, AttentionSpec spec, Tensor dQ, Tensor dK) {
    var sizes =
        AttentionOperands.of(q, k)
            .pattern("dScores", dScores)
            .queries("dQ", dQ)
            .keys("dK", dK)
            .sizes();
    gradients.attentionScoresBackward(in(dScores), in(q), in(k), sizes, spec, out(dQ), out(dK));
  }
}
