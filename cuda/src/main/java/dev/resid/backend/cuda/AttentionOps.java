package dev.resid.backend.cuda;

import static dev.resid.tensor.OperandChecks.requireSizes;

import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;

/**
 * Causal attention and its gradients; see {@code attention.cu} and {@code attention_backward.cu}.
 * Where the scores of eight queries fit into the memory that a block shares, one kernel does it all
 * forward; where tiles of queries, keys and their gradients do, two kernels do it backward, with
 * three numbers of every row of the pattern between them. Else the pattern of a few sequences at a
 * time is kept in device memory, with the same bits.
 */
final class AttentionOps {
  private static final int QUERIES = 8; // RESID_QUERIES of attention.cuh
  private static final int KEYS = 32; // RESID_KEYS
  private static final int MOST_D = 256;
  private static final long PATTERN_BYTES = 256L << 20;

  private final int sharedBytes;

  AttentionOps(int sharedBytes) {
    this.sharedBytes = sharedBytes;
  }

  /** The sizes of a call: B batch, T queries, S keys, H heads, D d_head. */
  record Sizes(int B, int T, int S, int H, int D) {
    static Sizes of(Tensor queries, Tensor keys) {
      int[] q = queries.shape().sizes();
      int[] k = keys.shape().sizes();
      if (q.length != 4 || k.length != 4) {
        throw new ShapeMismatchException(
            "expected [batch, pos, head, d_head] twice, found "
                + queries.shape()
                + " and "
                + keys.shape());
      }
      Sizes sizes = new Sizes(q[0], q[1], k[1], q[2], q[3]);
      return sizes.keys("k or v", keys);
    }

    Sizes queries(String operand, Tensor tensor) {
      requireSizes(operand, tensor, B, T, H, D);
      return this;
    }

    Sizes keys(String operand, Tensor tensor) {
      requireSizes(operand, tensor, B, S, H, D);
      return this;
    }

    Sizes pattern(String operand, Tensor tensor) {
      requireSizes(operand, tensor, B, H, T, S);
      return this;
    }

    Sizes sequences(int count) {
      return new Sizes(count, T, S, H, D);
    }

    long queryElements() {
      return (long) B * T * H * D;
    }

    long keyElements() {
      return (long) B * S * H * D;
    }

    long patternElements() {
      return (long) B * H * T * S;
    }
  }

  /** out = attention; addresses. */
  void attention(Call call, Sizes n, long q, long k, long v, AttentionSpec spec, long z) {
    long shared = (long) Float.BYTES * ((QUERIES + KEYS) * (n.D + 1L) + (long) QUERIES * n.S);
    if (n.queryElements() == 0) {
      return;
    }
    if (n.D <= MOST_D && (long) n.B * n.H <= Kernels.MOST_Y && shared <= sharedBytes) {
      call.launch("resid_attention")
          .pointer(q)
          .pointer(k)
          .pointer(v)
          .pointer(z)
          .number(n.T)
          .number(n.S)
          .number(n.H)
          .number(n.D)
          .number(spec.firstQuery())
          .number(spec.scale())
          .shared((int) shared)
          .grid((n.T + QUERIES - 1) / QUERIES, n.B * n.H);
      return;
    }
    Call.Part part = patterns(call, n, 1);
    for (int b = 0; b < n.B; b += part.items()) {
      Sizes some = n.sequences(Math.min(part.items(), n.B - b));
      long queries = Float.BYTES * b * n.sequences(1).queryElements();
      long keys = Float.BYTES * b * n.sequences(1).keyElements();
      pattern(call, some, q + queries, k + keys, spec, part.address());
      mix(call, some, part.address(), v + keys, z + queries);
    }
  }

  private static Call.Part patterns(Call call, Sizes n, int each) {
    long bytes = Float.BYTES * each * Math.max(1, n.sequences(1).patternElements());
    int wanted = (int) Math.max(1, Math.min(n.B, PATTERN_BYTES / bytes));
    return call.part("attention patterns", wanted, bytes);
  }

  private static void pattern(
      Call call, Sizes n, long q, long k, AttentionSpec spec, long pattern) {
    scores(call, n, q, k, spec, pattern);
    call.launch("resid_softmax")
        .pointer(pattern)
        .pointer(pattern)
        .number((long) n.B * n.H * n.T)
        .number(n.S)
        .warps((long) n.B * n.H * n.T);
  }

  static void scores(Call call, Sizes n, long q, long k, AttentionSpec spec, long scores) {
    withSizes(
        call.launch("resid_attention_scores").pointer(q).pointer(k).pointer(scores),
        n.patternElements(),
        n,
        spec);
  }

  private static void withSizes(Kernels.Launch launch, long elements, Sizes n, AttentionSpec spec) {
    launch
        .number(elements)
        .number(n.T)
        .number(n.S)
        .number(n.H)
        .number(n.D)
        .number(spec.firstQuery())
        .number(spec.scale())
        .overElements(elements);
  }

  private static void withSizes(Kernels.Launch launch, long elements, Sizes n) {
    launch.number(elements).number(n.T).number(n.S).number(n.H).number(n.D).overElements(elements);
  }

  static void mix(Call call, Sizes n, long pattern, long v, long z) {
    withSizes(
        call.launch("resid_attention_mix").pointer(pattern).pointer(v).pointer(z),
        n.queryElements(),
        n);
  }

  static void mixBackward(
      Call call, Sizes n, long dZ, long pattern, long v, long dPattern, long dV) {
    withSizes(
        call.launch("resid_attention_mix_backward_pattern")
            .pointer(dZ)
            .pointer(v)
            .pointer(dPattern),
        n.patternElements(),
        n);
    withSizes(
        call.launch("resid_attention_mix_backward_values").pointer(dZ).pointer(pattern).pointer(dV),
        n.keyElements(),
        n);
  }

  static void scoresBackward(
      Call call, Sizes n, long dScores, long q, long k, AttentionSpec spec, long dQ, long dK) {
    withSizes(
        call.launch("resid_attention_scores_backward_queries")
            .pointer(dScores)
            .pointer(k)
            .pointer(dQ),
        n.queryElements(),
        n,
        spec);
    withSizes(
        call.launch("resid_attention_scores_backward_keys").pointer(dScores).pointer(q).pointer(dK),
        n.keyElements(),
        n,
        spec);
  }

  /** The addresses of a backward call. */
  record Gradients(long dZ, long q, long k, long v, long dQ, long dK, long dV) {
    Gradients from(long queries, long keys) {
      return new Gradients(
          dZ + queries, q + queries, k + keys, v + keys, dQ + queries, dK + keys, dV + keys);
    }
  }

  /** All gradients of attention; addresses. */
  void backward(Call call, Sizes n, Gradients at, AttentionSpec spec) {
    if (n.B == 0) {
      return;
    }
    long shared = (long) Float.BYTES * (2 * (QUERIES + KEYS) * (n.D + 1L) + 2 * QUERIES * KEYS);
    if (n.D > MOST_D || (long) n.B * n.H > Kernels.MOST_Y || shared > sharedBytes) {
      backwardByPatterns(call, n, at, spec);
      return;
    }
    long rows = (long) n.B * n.H * n.T;
    long largest = call.floats(rows);
    long sums = call.doubles(rows);
    long dots = call.doubles(rows);
    if (n.queryElements() > 0) {
      withTiles(
          call.launch("resid_attention_backward_queries")
              .pointer(at.q)
              .pointer(at.k)
              .pointer(at.v)
              .pointer(at.dZ)
              .pointer(at.dQ)
              .pointer(largest)
              .pointer(sums)
              .pointer(dots),
          n,
          spec,
          (int) shared,
          n.T);
    }
    if (n.keyElements() > 0) {
      withTiles(
          call.launch("resid_attention_backward_keys")
              .pointer(at.q)
              .pointer(at.k)
              .pointer(at.v)
              .pointer(at.dZ)
              .pointer(largest)
              .pointer(sums)
              .pointer(dots)
              .pointer(at.dK)
              .pointer(at.dV),
          n,
          spec,
          (int) shared,
          n.S);
    }
  }

  private static void withTiles(
      Kernels.Launch launch, Sizes n, AttentionSpec spec, int shared, int positions) {
    launch
        .number(n.T)
        .number(n.S)
        .number(n.H)
        .number(n.D)
        .number(spec.firstQuery())
        .number(spec.scale())
        .shared(shared)
        .grid((positions + QUERIES - 1) / QUERIES, n.B * n.H);
  }

  private static void backwardByPatterns(Call call, Sizes n, Gradients all, AttentionSpec spec) {
    Call.Part part = patterns(call, n, 2);
    for (int b = 0; b < n.B; b += part.items()) {
      Sizes some = n.sequences(Math.min(part.items(), n.B - b));
      Gradients at =
          all.from(
              Float.BYTES * b * n.sequences(1).queryElements(),
              Float.BYTES * b * n.sequences(1).keyElements());
      long pattern = part.address();
      long gradient = pattern + Float.BYTES * some.patternElements();
      pattern(call, some, at.q, at.k, spec, pattern);
      mixBackward(call, some, at.dZ, pattern, at.v, gradient, at.dV);
      call.launch("resid_softmax_backward")
          .pointer(gradient)
          .pointer(pattern)
          .pointer(gradient)
          .number((long) some.B * some.H * some.T)
          .number(some.S)
          .warps((long) some.B * some.H * some.T);
      scoresBackward(call, some, gradient, at.q, at.k, spec, at.dQ, at.dK);
    }
  }
}
