package dev.resid.backend.vector;

import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.AttentionSpec;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

// Attention of one head of one batch row at a time, forward. B batch, T queries, S keys, H heads,
// D d_head.
//
// The fused method and its three parts give the same bits, because the order is the same wherever
// an element is computed:
//   scores   a chain over d, then times the scale; −∞ behind the query
//   softmax  RowKernels.softmax, whose sum does not change with trailing zeros
//   mix      a chain over ascending keys whose pattern entry is not 0, then plus 0
// A product that is 0 changes no sum but the sign of one that is 0, which the last addition makes
// positive. So the tile kernel may go over entries that are 0 or masked (it finds 0 there), as long
// as the other factor is finite; where v is not, mixKeyByKey leaves them out one by one. A key
// behind a query therefore cannot reach it, not even as NaN.
final class AttentionKernels {
  static final int ROWS = MicroKernel.ROWS;
  static final int COLUMNS = MicroKernel.COLUMNS;

  private final Workers workers;

  AttentionKernels(Workers workers) {
    this.workers = workers;
  }

  /** Sizes of one call, and where things are. A unit is one head of one batch row. */
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

    int paddedWidth() {
      return Packing.roundUp(width, COLUMNS);
    }

    /** Number of keys a query sees. */
    int visible(AttentionSpec spec, int query) {
      return (int) Math.min(keys, (long) spec.firstQuery() + query + 1);
    }
  }

  /** A matrix [T, S] inside an array. */
  record Plane(float[] values, int from, int ld) {
    int row(int t) {
      return from + t * ld;
    }

    /** Returns the same matrix without its first rows. */
    Plane below(int t) {
      return new Plane(values, row(t), ld);
    }
  }

  /** Positions of one head, packed for the mix, and whether all values are finite. */
  record Values(MemorySegment panels, int count, boolean finite, float[] source, int from) {}

  void attention(float[] q, float[] k, float[] v, Sizes s, AttentionSpec spec, float[] z) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          int seen = s.visible(spec, s.queries() - 1);
          MemorySegment keys = packAlongWidth(k, s.keyFrom(unit), s, seen, scratch);
          Values values = packAlongKeys(v, s.keyFrom(unit), s, seen, scratch, Use.VALUES);
          float[] scores = scratch.floats(Use.SCORES, ROWS * s.paddedKeys());
          int[] limits = new int[ROWS];
          for (int t = 0; t < s.queries(); t += ROWS) {
            int rows = Math.min(ROWS, s.queries() - t);
            int last = s.visible(spec, t + rows - 1);
            Plane plane = new Plane(scores, 0, Packing.roundUp(last, COLUMNS));
            int queryFrom = s.queryFrom(unit) + t * s.ld();
            scores(q, queryFrom, rows, keys, s, plane, plane.ld(), scratch);
            for (int r = 0; r < rows; r++) {
              limits[r] = s.visible(spec, t + r);
              softmax(plane, r, limits[r], spec);
            }
            mix(plane, rows, limits, values, s, z, queryFrom, 1f, scratch);
          }
        });
  }

  /** As {@link #attention}, without packing; worth it for one query, or without vectors. */
  void attentionQueryByQuery(
      float[] q, float[] k, float[] v, Sizes s, AttentionSpec spec, boolean plain, float[] z) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          for (int t = 0; t < s.queries(); t++) {
            SingleQuery.attention(q, k, v, s, spec, unit, t, plain, z, scratch);
          }
        });
  }

  void attentionScores(float[] q, float[] k, Sizes s, AttentionSpec spec, float[] out) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          int seen = s.visible(spec, s.queries() - 1);
          MemorySegment keys = packAlongWidth(k, s.keyFrom(unit), s, seen, scratch);
          float[] scores = scratch.floats(Use.SCORES, ROWS * s.paddedKeys());
          for (int t = 0; t < s.queries(); t += ROWS) {
            int rows = Math.min(ROWS, s.queries() - t);
            int last = s.visible(spec, t + rows - 1);
            Plane plane = new Plane(scores, 0, Packing.roundUp(last, COLUMNS));
            int queryFrom = s.queryFrom(unit) + t * s.ld();
            scores(q, queryFrom, rows, keys, s, plane, plane.ld(), scratch);
            for (int r = 0; r < rows; r++) {
              int visible = s.visible(spec, t + r);
              int to = s.patternFrom(unit) + (t + r) * s.keys();
              System.arraycopy(scores, plane.row(r), out, to, visible);
              Elementwise.scale(out, to, visible, (float) spec.scale());
              Arrays.fill(out, to + visible, to + s.keys(), Float.NEGATIVE_INFINITY);
            }
          }
        });
  }

  void attentionMix(float[] pattern, float[] v, Sizes s, float[] z) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          Values values = packAlongKeys(v, s.keyFrom(unit), s, s.keys(), scratch, Use.VALUES);
          Plane plane = new Plane(pattern, s.patternFrom(unit), s.keys());
          int[] limits = new int[ROWS];
          for (int t = 0; t < s.queries(); t += ROWS) {
            int rows = Math.min(ROWS, s.queries() - t);
            for (int r = 0; r < rows; r++) {
              limits[r] = RowKernels.lastNonZero(pattern, plane.row(t + r), s.keys()) + 1;
            }
            int queryFrom = s.queryFrom(unit) + t * s.ld();
            mix(plane.below(t), rows, limits, values, s, z, queryFrom, 1f, scratch);
          }
        });
  }

  // Makes a row of products a row of the pattern.
  static void softmax(Plane plane, int row, int visible, AttentionSpec spec) {
    int from = plane.row(row);
    Elementwise.scale(plane.values(), from, visible, (float) spec.scale());
    RowKernels.softmax(plane.values(), from, plane.values(), from, visible);
  }

  /** Packs `count` positions of one head into panels of positions, each [D, COLUMNS]. */
  static MemorySegment packAlongWidth(float[] x, int from, Sizes s, int count, Scratch scratch) {
    int length = Packing.roundUp(count, COLUMNS) * s.width();
    float[] packed = scratch.floats(Use.KEYS, s.paddedKeys() * s.width());
    Packing.rowTiles(x, from, s.ld(), count, s.width(), packed, 0, COLUMNS);
    MemorySegment to = scratch.panels(Use.KEYS, (long) s.paddedKeys() * s.width());
    PanelMemory.put(packed, 0, to, 0, length);
    return to;
  }

  /** Packs `count` positions of one head into panels of its width, each [count, COLUMNS]. */
  static Values packAlongKeys(float[] x, int from, Sizes s, int count, Scratch scratch, Use use) {
    int length = count * s.paddedWidth();
    float[] packed = scratch.floats(use, length);
    Packing.columnTiles(x, from, s.ld(), s.width(), count, packed, 0, COLUMNS);
    MemorySegment to = scratch.panels(use, length);
    PanelMemory.put(packed, 0, to, 0, length);
    return new Values(to, count, RowKernels.allFinite(packed, 0, length), x, from);
  }

  /**
   * out[r, s] = Σ_d x[r, d]·keys[s, d] for a tile of rows and keys below `keyCount`, a multiple of
   * COLUMNS. Rows up to ROWS are overwritten, whether they exist or not.
   */
  static void scores(
      float[] x,
      int from,
      int rows,
      MemorySegment keys,
      Sizes s,
      Plane out,
      int keyCount,
      Scratch scratch) {
    int width = s.width();
    float[] tile = scratch.floats(Use.TILE, ROWS * width);
    Packing.rows(x, from, s.ld(), rows, width, tile, 0, ROWS);
    for (int j = 0; j < keyCount; j += COLUMNS) {
      MicroKernel.tileFromZero(
          tile, 0, keys, 4L * j * width, width, out.values(), out.from() + j, out.ld());
    }
  }

  /**
   * out[r, :] = factor·Σ_s p[r, s]·values[s, :] over s below limits[r], for a tile of rows.
   *
   * @param out where row r begins at outFrom + r·ld of the sizes
   */
  static void mix(
      Plane p,
      int rows,
      int[] limits,
      Values values,
      Sizes s,
      float[] out,
      int outFrom,
      float factor,
      Scratch scratch) {
    if (!values.finite()) {
      for (int r = 0; r < rows; r++) {
        int to = outFrom + r * s.ld();
        mixKeyByKey(p.values(), p.row(r), 1, limits[r], values.source(), values.from(), s, out, to);
        finish(out, to, out, to, s.width(), factor);
      }
      return;
    }
    int depth = 0;
    for (int r = 0; r < rows; r++) {
      depth = Math.max(depth, limits[r]);
    }
    float[] tile = scratch.floats(Use.ROWS, ROWS * depth);
    Packing.rows(p.values(), p.from(), p.ld(), rows, depth, tile, 0, ROWS);
    for (int r = 0; r < rows; r++) {
      for (int key = limits[r]; key < depth; key++) {
        tile[key * ROWS + r] = 0f;
      }
    }
    addTile(tile, values, 0, depth, s, scratch);
    float[] sums = scratch.floats(Use.TILE, ROWS * s.paddedWidth());
    for (int r = 0; r < rows; r++) {
      finish(sums, r * s.paddedWidth(), out, outFrom + r * s.ld(), s.width(), factor);
    }
  }

  /**
   * Puts Σ_k tile[k, r]·values[first + k, :] for `depth` terms into the buffer TILE, [ROWS,
   * paddedWidth].
   */
  static void addTile(float[] tile, Values values, int first, int depth, Sizes s, Scratch scratch) {
    int padded = s.paddedWidth();
    float[] sums = scratch.floats(Use.TILE, ROWS * padded);
    for (int j = 0; j < padded; j += COLUMNS) {
      long from = 4L * (j * values.count() + first * COLUMNS);
      MicroKernel.tileFromZero(tile, 0, values.panels(), from, depth, sums, j, padded);
    }
  }

  /** out = factor·(sums + 0). */
  static void finish(float[] sums, int from, float[] out, int outFrom, int n, float factor) {
    for (int d = 0; d < n; d++) {
      out[outFrom + d] = factor * (sums[from + d] + 0f);
    }
  }

  /**
   * out[d] = Σ_s p[s]·v[s, d] over s below `limit` where p[s] is not 0; p[s] lies at pFrom +
   * s·pStep and v[s, :] at vFrom + s·ld.
   */
  static void mixKeyByKey(
      float[] p,
      int pFrom,
      int pStep,
      int limit,
      float[] v,
      int vFrom,
      Sizes s,
      float[] out,
      int outFrom) {
    Arrays.fill(out, outFrom, outFrom + s.width(), 0f);
    for (int key = 0; key < limit; key++) {
      float weight = p[pFrom + key * pStep];
      if (weight != 0f) {
        Elementwise.addScaled(weight, v, vFrom + key * s.ld(), out, outFrom, s.width());
      }
    }
  }
}
