package dev.resid.backend;

import static dev.resid.backend.ContractBench.abs;
import static dev.resid.testing.Tolerance.U;

import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.Tolerance;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Contract of attention, whole and in parts. */
interface AttentionContract {
  /**
   * The sizes of one case.
   *
   * @param B batch
   * @param T queries
   * @param S keys
   * @param H heads
   * @param D d_head
   * @param first position of the first query
   */
  record Sizes(int B, int T, int S, int H, int D, int first) {
    Shape queries() {
      return Shape.of(Axis.BATCH, B, Axis.POS, T, Axis.HEAD, H, Axis.D_HEAD, D);
    }

    Shape keys() {
      return Shape.of(Axis.BATCH, B, Axis.POS, S, Axis.HEAD, H, Axis.D_HEAD, D);
    }

    Shape pattern() {
      return Shape.of(Axis.BATCH, B, Axis.HEAD, H, Axis.POS, T, Axis.KEY_POS, S);
    }

    AttentionSpec spec() {
      return new AttentionSpec(1 / Math.sqrt(D), first);
    }

    /** These sizes with one query at the given position. */
    Sizes oneQuery(int position) {
      return new Sizes(B, 1, S, H, D, position);
    }
  }

  /** Whole sequences, cached keys, single queries, keys beyond the last query. */
  List<Sizes> SIZES =
      List.of(
          new Sizes(1, 1, 1, 1, 1, 0),
          new Sizes(2, 3, 3, 2, 4, 0),
          new Sizes(1, 5, 5, 3, 7, 0),
          new Sizes(2, 9, 9, 2, 16, 0),
          new Sizes(1, 4, 11, 2, 8, 7),
          new Sizes(1, 1, 13, 2, 5, 12),
          new Sizes(1, 2, 10, 1, 3, 4),
          new Sizes(1, 17, 17, 1, 33, 0),
          new Sizes(3, 15, 15, 2, 64, 0),
          new Sizes(1, 6, 33, 2, 64, 27),
          new Sizes(1, 65, 65, 1, 15, 0));

  /** Returns the bench of the running test. */
  ContractBench bench();

  /** Scores agree, and masked ones are −∞. */
  @Test
  default void attentionScoresAgree() {
    for (Sizes n : SIZES) {
      for (Values kind : Values.values()) {
        Tensor q = bench().in(kind, n.queries());
        Tensor k = bench().in(Values.ORDINARY, n.keys());
        Tensor magnitudes =
            bench()
                .reference(
                    n.pattern(), (b, out) -> b.attentionScores(abs(q), abs(k), n.spec(), out));
        bench()
            .compare(
                "attentionScores of " + kind + " from " + n.first,
                n.pattern(),
                (b, out) -> b.attentionScores(q, k, n.spec(), out),
                Tolerance.sums(n.D, magnitudes));
      }
    }
  }

  /** The pattern-weighted sums agree, for causal patterns and for any other. */
  @Test
  default void attentionMixAgrees() {
    for (Sizes n : SIZES) {
      for (Values kind : Values.values()) {
        for (Tensor pattern : List.of(pattern(bench(), n), bench().in(n.pattern()))) {
          Tensor v = bench().in(kind, n.keys());
          Tensor magnitudes =
              bench().reference(n.queries(), (b, out) -> b.attentionMix(abs(pattern), abs(v), out));
          bench()
              .compare(
                  "attentionMix of " + kind,
                  n.queries(),
                  (b, out) -> b.attentionMix(pattern, v, out),
                  Tolerance.sums(n.S, magnitudes));
        }
      }
    }
  }

  /** Returns a causal pattern, of the reference. */
  static Tensor pattern(ContractBench bench, Sizes n) {
    Tensor q = bench.in(n.queries());
    Tensor k = bench.in(n.keys());
    return bench.in(
        bench.reference(
            n.pattern(),
            (b, out) -> {
              b.attentionScores(q, k, n.spec(), out);
              b.softmax(out, out);
            }));
  }

  /** Attention agrees. */
  @Test
  default void attentionAgrees() {
    for (Sizes n : SIZES) {
      Tensor q = bench().in(n.queries());
      Tensor k = bench().in(n.keys());
      Tensor v = bench().in(n.keys());
      Tensor magnitudes =
          bench().reference(n.queries(), (b, out) -> b.attention(q, k, abs(v), n.spec(), out));
      Tensor scoreMagnitudes =
          bench()
              .reference(n.pattern(), (b, out) -> b.attentionScores(abs(q), abs(k), n.spec(), out));
      double largest = 0;
      for (float score : scoreMagnitudes.toArray()) {
        largest = Float.isInfinite(score) ? largest : Math.max(largest, score);
      }
      // Scores are off by (D+3)·u·largest, weights relatively by twice that and by the softmax's
      // own error for |x−max| ≤ 2·largest; the mix adds its S roundings.
      double relative = U * (2 * (n.D + 3) * largest + 2 * largest + Math.log(n.S) + 12 + n.S + 3);
      bench()
          .compare(
              "attention from " + n.first,
              n.queries(),
              (b, out) -> b.attention(q, k, v, n.spec(), out),
              (i, expected) -> relative * magnitudes.toArray()[i] + Tolerance.UNDERFLOW);
    }
  }

  /** Attention gives the bits of its three parts. */
  @Test
  default void attentionIsExactlyItsParts() {
    for (Sizes n : SIZES) {
      for (Values kind : new Values[] {Values.ORDINARY, Values.MIXED}) {
        Tensor q = bench().in(n.queries());
        Tensor k = bench().in(kind, n.keys());
        Tensor v = bench().in(kind, n.keys());
        bench()
            .check("attention of " + kind + " from " + n.first)
            .sameBits(composed(n, q, k, v), fused(n, q, k, v));
      }
    }
  }

  private Tensor fused(Sizes n, Tensor q, Tensor k, Tensor v) {
    return bench().tested(n.queries(), (b, out) -> b.attention(q, k, v, n.spec(), out));
  }

  private Tensor composed(Sizes n, Tensor q, Tensor k, Tensor v) {
    Tensor pattern = bench().out(n.pattern());
    bench().tested.attentionScores(q, k, n.spec(), pattern);
    bench().tested.softmax(pattern, pattern);
    return bench().tested(n.queries(), (b, out) -> b.attentionMix(pattern, v, out));
  }

  /** What a query gets is the same bits whatever keys come after it, and however many. */
  @Test
  default void laterKeysDoNotChangeAttention() {
    for (Sizes n : SIZES) {
      Tensor q = bench().in(n.queries());
      Tensor k = bench().in(n.keys());
      Tensor v = bench().in(n.keys());
      Tensor expected = fused(n, q, k, v);
      int seen = n.first + n.T;
      for (int S : new int[] {seen, seen + 1, seen + 5, seen + 16}) {
        Tensor otherK = bench().in(withPositions(k, seen, S));
        Tensor otherV = bench().in(withPositions(v, seen, S));
        Sizes longer = new Sizes(n.B, n.T, S, n.H, n.D, n.first);
        bench()
            .check("attention with " + S + " instead of " + n.S + " keys")
            .sameBits(expected, fused(longer, q, otherK, otherV));
      }
    }
  }

  /** Returns the first {@code kept} of the keys, followed by new ones up to {@code positions}. */
  private Tensor withPositions(Tensor keys, int kept, int positions) {
    Tensor result = bench().cases.tensor(keys.shape().with(Axis.POS, positions), Values.ORDINARY);
    for (int s = 0; s < kept; s++) {
      result = result.with(Axis.POS, s, keys.at(Axis.POS, s));
    }
    return result;
  }

  /** Masked keys cannot reach a query, not even when they are NaN or infinite. */
  @Test
  default void nonFiniteLaterKeysDoNotChangeAttention() {
    Sizes n = new Sizes(2, 9, 9, 2, 7, 0);
    Tensor q = bench().in(n.queries());
    Tensor k = bench().in(n.keys());
    Tensor v = bench().in(n.keys());
    Tensor expected = fused(n, q, k, v);
    for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      Tensor part = k.at(Axis.POS, 6).map(x -> value);
      Tensor oddK = bench().in(k.with(Axis.POS, 6, part));
      Tensor oddV = bench().in(v.with(Axis.POS, 6, part));
      for (Tensor z : List.of(fused(n, q, k, oddV), fused(n, q, oddK, oddV))) {
        bench()
            .check("attention before a " + value)
            .sameBits(expected.slice(Axis.POS, 0, 6), z.slice(Axis.POS, 0, 6));
        bench()
            .check("attention at and after a " + value)
            .holds(!Float.isFinite(z.get(0, 6, 0, 0)), "it has to show, found a finite value");
      }
      bench()
          .check("attention and its parts with " + value)
          .sameBits(composed(n, q, k, oddV), fused(n, q, k, oddV));
    }
  }

  /** A query alone gives the bits it gives among others: what incremental decoding relies on. */
  @Test
  default void queriesAloneGiveTheSameAttention() {
    for (Sizes n : SIZES) {
      Tensor q = bench().in(n.queries());
      Tensor k = bench().in(n.keys());
      Tensor v = bench().in(n.keys());
      Tensor all = fused(n, q, k, v);
      for (int t = 0; t < n.T; t += t < 4 ? 1 : 7) {
        Tensor one = bench().in(q.slice(Axis.POS, t, t + 1));
        bench()
            .check("attention of query " + t + " alone")
            .sameBits(all.slice(Axis.POS, t, t + 1), fused(n.oneQuery(n.first + t), one, k, v));
      }
    }
  }

  /** A batch gives the bits its rows give alone. */
  @Test
  default void batchRowsAloneGiveTheSameAttention() {
    for (Sizes n : List.of(new Sizes(3, 7, 7, 2, 16, 0), new Sizes(5, 2, 9, 3, 5, 7))) {
      Tensor q = bench().in(n.queries());
      Tensor k = bench().in(n.keys());
      Tensor v = bench().in(n.keys());
      Tensor all = fused(n, q, k, v);
      Sizes alone = new Sizes(1, n.T, n.S, n.H, n.D, n.first);
      for (int b = 0; b < n.B; b++) {
        Tensor z =
            fused(
                alone,
                bench().in(q.slice(Axis.BATCH, b, b + 1)),
                bench().in(k.slice(Axis.BATCH, b, b + 1)),
                bench().in(v.slice(Axis.BATCH, b, b + 1)));
        bench().check("attention of row " + b).sameBits(all.slice(Axis.BATCH, b, b + 1), z);
      }
    }
  }

  /** Batches without rows and sequences without queries are accepted. */
  @Test
  default void attentionAcceptsNoRows() {
    for (Sizes n : List.of(new Sizes(0, 3, 3, 2, 4, 0), new Sizes(1, 0, 3, 2, 4, 3))) {
      Tensor q = bench().in(n.queries());
      Tensor k = bench().in(n.keys());
      Tensor v = bench().in(n.keys());
      Tensor z = bench().in(n.queries());
      bench().compareBits("attention", n.queries(), (b, o) -> b.attention(q, k, v, n.spec(), o));
      bench()
          .compareBits(
              "attentionBackward dK",
              n.keys(),
              (b, dK) ->
                  b.attentionBackward(
                      z, q, k, v, n.spec(), b.allocate(n.queries()), dK, b.allocate(n.keys())));
      bench()
          .compareBits(
              "attentionBackward dV",
              n.keys(),
              (b, dV) ->
                  b.attentionBackward(
                      z, q, k, v, n.spec(), b.allocate(n.queries()), b.allocate(n.keys()), dV));
    }
  }

  /** A pattern is 0 exactly where keys are masked, and its rows add up to 1. */
  @Test
  default void patternsAreCausalDistributions() {
    for (Sizes n : SIZES) {
      Tensor q = bench().in(n.queries());
      Tensor k = bench().in(n.keys());
      Tensor pattern = bench().out(n.pattern());
      bench().tested.attentionScores(q, k, n.spec(), pattern);
      bench().tested.softmax(pattern, pattern);
      float[] p = pattern.toArray();
      double[] sums = new double[n.B * n.H * n.T];
      for (int i = 0; i < p.length; i++) {
        boolean masked = i % n.S > n.first + i / n.S % n.T;
        bench()
            .check("pattern " + n)
            .holds(masked ? p[i] == 0 : p[i] > 0, "weight " + i + " is " + p[i]);
        sums[i / n.S] += p[i];
      }
      double[] ones = new double[sums.length];
      Arrays.fill(ones, 1);
      // Each of the S weights is rounded; KernelBounds.softmax bounds the rest.
      Tolerance rounding = Tolerance.within((n.S + Math.log(n.S) + 50) * U, 0);
      bench()
          .check("sums of pattern rows")
          .close(ContractBench.perRow(sums.length).without(Axis.ONE), ones, sums, rounding);
    }
  }
}
