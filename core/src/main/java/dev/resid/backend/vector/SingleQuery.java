package dev.resid.backend.vector;

import dev.resid.backend.vector.AttentionKernels.Sizes;
import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.AttentionSpec;
import java.util.Arrays;

// Attention of one query, as in generating text: every key and value is read once, so packing them
// would cost more than the sums. Same orders as in AttentionKernels, so the same bits.
//
// Without vectors as in FirstPasses it goes on for any number of queries.
final class SingleQuery {
  // What takes the time of so few elements is the exponential.
  private static final double NANOS_A_KEY = 20;
  private static final double NANOS_TO_MULTIPLY = 1;

  private SingleQuery() {}

  /** Returns about what all queries take without vectors. */
  static double plainNanos(Sizes s) {
    double pairs = (double) s.units() * s.queries() * s.keys();
    return pairs * (NANOS_A_KEY + NANOS_TO_MULTIPLY * s.width());
  }

  static void attention(
      float[] q,
      float[] k,
      float[] v,
      Sizes s,
      AttentionSpec spec,
      int unit,
      int query,
      boolean plain,
      float[] z,
      Scratch scratch) {
    int visible = s.visible(spec, query);
    int to = s.queryFrom(unit) + query * s.ld();
    float[] pattern = scratch.floats(Use.SCORES, visible);
    scores(q, to, k, s.keyFrom(unit), s, visible, pattern);
    Elementwise.scale(pattern, 0, visible, (float) spec.scale());
    if (plain) {
      PlainKernels.softmax(pattern, 0, visible);
      Arrays.fill(z, to, to + s.width(), 0f);
      for (int key = 0; key < visible; key++) {
        if (pattern[key] != 0f) {
          int from = s.keyFrom(unit) + key * s.ld();
          PlainKernels.addScaled(pattern[key], v, from, z, to, s.width());
        }
      }
    } else {
      RowKernels.softmax(pattern, 0, pattern, 0, visible);
      AttentionKernels.mixKeyByKey(pattern, 0, 1, visible, v, s.keyFrom(unit), s, z, to);
    }
    AttentionKernels.finish(z, to, z, to, s.width(), 1f);
  }

  // One chain a key; eight keys at a time hide the latency of the chains.
  private static void scores(
      float[] q, int qFrom, float[] k, int kFrom, Sizes s, int count, float[] out) {
    int width = s.width();
    int ld = s.ld();
    int key = 0;
    for (; key + 8 <= count; key += 8) {
      int at = kFrom + key * ld;
      float s0 = 0;
      float s1 = 0;
      float s2 = 0;
      float s3 = 0;
      float s4 = 0;
      float s5 = 0;
      float s6 = 0;
      float s7 = 0;
      for (int d = 0; d < width; d++) {
        float x = q[qFrom + d];
        s0 = Math.fma(x, k[at + d], s0);
        s1 = Math.fma(x, k[at + ld + d], s1);
        s2 = Math.fma(x, k[at + 2 * ld + d], s2);
        s3 = Math.fma(x, k[at + 3 * ld + d], s3);
        s4 = Math.fma(x, k[at + 4 * ld + d], s4);
        s5 = Math.fma(x, k[at + 5 * ld + d], s5);
        s6 = Math.fma(x, k[at + 6 * ld + d], s6);
        s7 = Math.fma(x, k[at + 7 * ld + d], s7);
      }
      out[key] = s0;
      out[key + 1] = s1;
      out[key + 2] = s2;
      out[key + 3] = s3;
      out[key + 4] = s4;
      out[key + 5] = s5;
      out[key + 6] = s6;
      out[key + 7] = s7;
    }
    for (; key < count; key++) {
      int at = kFrom + key * ld;
      float sum = 0;
      for (int d = 0; d < width; d++) {
        sum = Math.fma(q[qFrom + d], k[at + d], sum);
      }
      out[key] = sum;
    }
  }
}
