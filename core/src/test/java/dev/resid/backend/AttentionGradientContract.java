package dev.resid.backend;

import static dev.resid.backend.ContractBench.abs;

import dev.resid.backend.AttentionContract.Sizes;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.Tolerance;
import org.junit.jupiter.api.Test;

/** Contract of the gradients of attention, whole and in parts. */
interface AttentionGradientContract {
  /** Returns the bench of the running test. */
  ContractBench bench();

  /** The gradients of the mix agree. */
  @Test
  default void attentionMixBackwardAgrees() {
    for (Sizes n : AttentionContract.SIZES) {
      Tensor dZ = bench().in(n.queries());
      Tensor pattern = AttentionContract.pattern(bench(), n);
      Tensor v = bench().in(Values.MIXED, n.keys());
      Tensor[] expected = {Tensor.zeros(n.pattern()), Tensor.zeros(n.keys())};
      Tensor[] magnitudes = {Tensor.zeros(n.pattern()), Tensor.zeros(n.keys())};
      Tensor[] actual = {bench().out(n.pattern()), bench().out(n.keys())};
      bench().reference.attentionMixBackward(dZ, pattern, v, expected[0], expected[1]);
      bench()
          .reference
          .attentionMixBackward(abs(dZ), pattern, abs(v), magnitudes[0], magnitudes[1]);
      bench().tested.attentionMixBackward(dZ, pattern, v, actual[0], actual[1]);
      bench()
          .check("attentionMixBackward dPattern")
          .close(expected[0], actual[0], Tolerance.sums(n.D(), magnitudes[0]));
      bench()
          .check("attentionMixBackward dV")
          .close(expected[1], actual[1], Tolerance.sums(n.T(), magnitudes[1]));
    }
  }

  /** The gradients of the scores agree, and gradients at masked pairs count for nothing. */
  @Test
  default void attentionScoresBackwardAgrees() {
    for (Sizes n : AttentionContract.SIZES) {
      Tensor dScores = bench().in(n.pattern());
      Tensor q = bench().in(Values.MIXED, n.queries());
      Tensor k = bench().in(n.keys());
      Tensor[] expected = {Tensor.zeros(n.queries()), Tensor.zeros(n.keys())};
      Tensor[] magnitudes = {Tensor.zeros(n.queries()), Tensor.zeros(n.keys())};
      Tensor[] actual = {bench().out(n.queries()), bench().out(n.keys())};
      bench().reference.attentionScoresBackward(dScores, q, k, n.spec(), expected[0], expected[1]);
      bench()
          .reference
          .attentionScoresBackward(
              abs(dScores), abs(q), abs(k), n.spec(), magnitudes[0], magnitudes[1]);
      bench().tested.attentionScoresBackward(dScores, q, k, n.spec(), actual[0], actual[1]);
      bench()
          .check("attentionScoresBackward dQ from " + n.first())
          .close(expected[0], actual[0], Tolerance.sums(n.S(), magnitudes[0]));
      bench()
          .check("attentionScoresBackward dK from " + n.first())
          .close(expected[1], actual[1], Tolerance.sums(n.T(), magnitudes[1]));
    }
  }

  /** The gradient of attention has the bits of the gradients of its parts. */
  @Test
  default void attentionBackwardIsExactlyItsParts() {
    for (Sizes n : AttentionContract.SIZES) {
      Tensor dZ = bench().in(n.queries());
      Tensor q = bench().in(n.queries());
      Tensor k = bench().in(n.keys());
      Tensor v = bench().in(n.keys());
      Tensor[] fused = {bench().out(n.queries()), bench().out(n.keys()), bench().out(n.keys())};
      bench().tested.attentionBackward(dZ, q, k, v, n.spec(), fused[0], fused[1], fused[2]);
      Tensor[] parts = {bench().out(n.queries()), bench().out(n.keys()), bench().out(n.keys())};
      Tensor pattern = bench().out(n.pattern());
      Tensor gradient = bench().out(n.pattern());
      bench().tested.attentionScores(q, k, n.spec(), pattern);
      bench().tested.softmax(pattern, pattern);
      bench().tested.attentionMixBackward(dZ, pattern, v, gradient, parts[2]);
      bench().tested.softmaxBackward(gradient, pattern, gradient);
      bench().tested.attentionScoresBackward(gradient, q, k, n.spec(), parts[0], parts[1]);
      String[] names = {"dQ", "dK", "dV"};
      for (int i = 0; i < names.length; i++) {
        bench().check("attentionBackward " + names[i]).sameBits(parts[i], fused[i]);
      }
    }
  }
}
