package dev.resid.backend.vector;

import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.AttentionSpec;
import java.util.Arrays;

// Attention of one head of one batch row at a time, forward. B batch, T queries, S keys, H heads,
// D d_head.
//
// The fused method and its three parts call the same routines on the same tiles, so they agree in
// every bit:
//   scores   a chain over d with keys in lanes, then times the scale; −∞ behind the query
//   softmax  RowKernels.softmax, whose sum does not change with trailing zeros
//   mix      a chain over ascending keys up to the row's last pattern entry that is not 0, with d
//            in lanes; keys that all queries of a tile use go through the tile kernel, the rest
//            through the one-row kernel
// Keys behind a query are never read for it, so they cannot reach it even as NaN.
final class AttentionKernels {
  static final int ROWS = MicroKernel.ROWS;
  static final int COLUMNS = MicroKernel.COLUMNS;

  private final Workers workers;

  AttentionKernels(Workers workers) {
    this.workers = workers;
  }

  /** Sizes of one call, and where things are. */
  record Sizes(int batch, int queries, int keys, int heads, int width) {
    int units() {
      return batch * heads;
    }

    /** Distance of two positions in q, k, v and z. */
    int ld() {
      return heads * width;
    }

    int queryFrom(int unit) {
      return (unit / heads * queries * heads + unit % heads) * width;
    }

    int keyFrom(int unit) {
      return (unit / heads * keys * heads + unit % heads) * width;
    }

    int patternFrom(int unit) {
      return unit * queries * keys;
    }

    /** Keys rounded up to whole panels. */
    int paddedKeys() {
      return Packing.roundUp(keys, COLUMNS);
    }

    /** Number of keys a query sees. */
    int visible(AttentionSpec spec, int query) {
      return (int) Math.min(keys, (long) spec.firstQuery() + query + 1);
    }
  }

  void attention(float[] q, float[] k, float[] v, Sizes s, AttentionSpec spec, float[] z) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          int seen = s.visible(spec, s.queries() - 1);
          float[] keys = packAlongWidth(k, s.keyFrom(unit), s, seen, scratch, Use.KEYS);
          float[] values = packAlongKeys(v, s.keyFrom(unit), s, seen, scratch, Use.VALUES);
          float[] scores = scratch.floats(Use.SCORES, ROWS * s.paddedKeys());
          for (int t = 0; t < s.queries(); t += ROWS) {
            int rows = Math.min(ROWS, s.queries() - t);
            int last = s.visible(spec, t + rows - 1);
            int ld = Packing.roundUp(last, COLUMNS);
            scores(q, s.queryFrom(unit) + t * s.ld(), rows, keys, s, scores, ld, scratch);
            for (int r = 0; r < rows; r++) {
              int visible = s.visible(spec, t + r);
              mask(scores, r * ld, visible, last, spec);
              RowKernels.softmax(scores, r * ld, scores, r * ld, visible);
              Arrays.fill(scores, r * ld + visible, r * ld + last, 0f);
            }
            mix(scores, 0, ld, rows, last, values, seen, s, z, s.queryFrom(unit) + t * s.ld(),
                scratch);
          }
        });
  }

  void attentionScores(float[] q, float[] k, Sizes s, AttentionSpec spec, float[] out) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          int seen = s.visible(spec, s.queries() - 1);
          float[] keys = packAlongWidth(k, s.keyFrom(unit), s, seen, scratch, Use.KEYS);
          float[] scores = scratch.floats(Use.SCORES, ROWS * s.paddedKeys());
          for (int t = 0; t < s.queries(); t += ROWS) {
            int rows = Math.min(ROWS, s.queries() - t);
            int ld = Packing.roundUp(s.visible(spec, t + rows - 1), COLUMNS);
            scores(q, s.queryFrom(unit) + t * s.ld(), rows, keys, s, scores, ld, scratch);
            for (int r = 0; r < rows; r++) {
              int visible = s.visible(spec, t + r);
              int to = s.patternFrom(unit) + (t + r) * s.keys();
              System.arraycopy(scores, r * ld, out, to, visible);
              mask(out, to, visible, s.keys(), spec);
            }
          }
        });
  }

  void attentionMix(float[] pattern, float[] v, Sizes s, float[] z) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          float[] values = packAlongKeys(v, s.keyFrom(unit), s, s.keys(), scratch, Use.VALUES);
          for (int t = 0; t < s.queries(); t += ROWS) {
            int rows = Math.min(ROWS, s.queries() - t);
            mix(
                pattern,
                s.patternFrom(unit) + t * s.keys(),
                s.keys(),
                rows,
                s.keys(),
                values,
                s.keys(),
                s,
                z,
                s.queryFrom(unit) + t * s.ld(),
                scratch);
          }
        });
  }

  // Multiplies the visible scores by the scale and sets the others to −∞.
  static void mask(float[] scores, int from, int visible, int keys, AttentionSpec spec) {
    Elementwise.scale(scores, from, visible, (float) spec.scale());
    Arrays.fill(scores, from + visible, from + keys, Float.NEGATIVE_INFINITY);
  }

  /** Packs `count` positions of one head into panels of positions, each [D, COLUMNS]. */
  static float[] packAlongWidth(
      float[] x, int from, Sizes s, int count, Scratch scratch, Use use) {
    float[] to = scratch.floats(use, s.paddedKeys() * s.width());
    Packing.rowTiles(x, from, s.ld(), count, s.width(), to, 0, COLUMNS);
    return to;
  }

  /** Packs `count` positions of one head into panels of its width, each [count, COLUMNS]. */
  static float[] packAlongKeys(
      float[] x, int from, Sizes s, int count, Scratch scratch, Use use) {
    float[] to = scratch.floats(use, count * Packing.roundUp(s.width(), COLUMNS));
    Packing.columnTiles(x, from, s.ld(), s.width(), count, to, 0, COLUMNS);
    return to;
  }

  /**
   * scores[r, s] = Σ_d x[r, d]·keys[s, d] for a tile of rows and the first `ld` keys, a multiple of
   * COLUMNS.
   */
  static void scores(
      float[] x,
      int from,
      int rows,
      float[] keys,
      Sizes s,
      float[] scores,
      int ld,
      Scratch scratch) {
    int width = s.width();
    float[] tile = scratch.floats(Use.QUERIES, ROWS * width);
    Arrays.fill(scores, 0, rows * ld, 0f);
    if (rows == 1) {
      for (int j = 0; j < ld; j += COLUMNS) {
        MicroKernel.rows1(x, from, keys, j * width, width, scores, j, ld);
      }
      return;
    }
    Packing.rows(x, from, s.ld(), rows, width, tile, 0, ROWS);
    for (int j = 0; j < ld; j += COLUMNS) {
      MicroKernel.tile(tile, 0, keys, j * width, width, scores, j, ld);
    }
  }

  // out[r, :] = Σ_s p[r, s]·values[s, :] for a tile of rows; see the class comment for the order.
  private static void mix(
      float[] p,
      int from,
      int ld,
      int rows,
      int keys,
      float[] values,
      int valueCount,
      Sizes s,
      float[] out,
      int outFrom,
      Scratch scratch) {
    int[] limits = new int[rows];
    for (int r = 0; r < rows; r++) {
      limits[r] = RowKernels.lastNonZero(p, from + r * ld, keys) + 1;
    }
    mixUpTo(limits, p, from, ld, values, valueCount, s, out, outFrom, 1f, scratch);
  }

  /**
   * out[r, :] = factor·Σ_s p[r, s]·values[s, :] over s below limits[r], for at most ROWS rows.
   *
   * @param values packed by {@link #packAlongKeys} with `valueCount` positions
   */
  static void mixUpTo(
      int[] limits,
      float[] p,
      int from,
      int ld,
      float[] values,
      int valueCount,
      Sizes s,
      float[] out,
      int outFrom,
      float factor,
      Scratch scratch) {
    int rows = limits.length;
    int padded = Packing.roundUp(s.width(), COLUMNS);
    float[] sums = scratch.floats(Use.TILE, ROWS * padded);
    Arrays.fill(sums, 0, ROWS * padded, 0f);
    int common = rows == 1 ? 0 : Arrays.stream(limits).min().orElse(0);
    if (common > 0) {
      float[] tile = scratch.floats(Use.ROWS, ROWS * common);
      Packing.rows(p, from, ld, rows, common, tile, 0, ROWS);
      for (int j = 0; j < padded; j += COLUMNS) {
        MicroKernel.tile(tile, 0, values, j * valueCount, common, sums, j, padded);
      }
    }
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < padded && limits[r] > common; j += COLUMNS) {
        MicroKernel.rows1(
            p,
            from + r * ld + common,
            values,
            j * valueCount + common * COLUMNS,
            limits[r] - common,
            sums,
            r * padded + j,
            padded);
      }
      int to = outFrom + r * s.ld();
      System.arraycopy(sums, r * padded, out, to, s.width());
      if (factor != 1f) {
        Elementwise.scale(out, to, s.width(), factor);
      }
    }
  }
}
