package dev.resid.backend.vector;

import static dev.resid.backend.vector.AttentionKernels.COLUMNS;
import static dev.resid.backend.vector.AttentionKernels.ROWS;

import dev.resid.backend.vector.AttentionKernels.Sizes;
import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.AttentionSpec;
import java.util.Arrays;

// The gradients of AttentionKernels, of one head of one batch row at a time, which writes dQ, dK
// and dV of that head alone. Sums over queries are chains over ascending t. The fused method
// recomputes the pattern of a head and then calls the same routines as the separate ones.
//
// Letters as in AttentionKernels.
final class AttentionGradients {
  private final Workers workers;

  AttentionGradients(Workers workers) {
    this.workers = workers;
  }

  /** A matrix [T, S] inside an array. */
  private record Plane(float[] values, int from, int ld) {
    int row(int t) {
      return from + t * ld;
    }
  }

  void attentionBackward(
      float[] dZ,
      float[] q,
      float[] k,
      float[] v,
      Sizes s,
      AttentionSpec spec,
      float[] dQ,
      float[] dK,
      float[] dV) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          int ld = s.paddedKeys();
          float[] patternValues = scratch.floats(Use.PATTERN, s.queries() * ld);
          float[] gradientValues = scratch.floats(Use.GRADIENT, s.queries() * ld);
          Plane pattern = new Plane(patternValues, 0, ld);
          Plane gradient = new Plane(gradientValues, 0, ld);
          products(q, unit, k, s, pattern, scratch);
          for (int t = 0; t < s.queries(); t++) {
            int visible = s.visible(spec, t);
            int from = pattern.row(t);
            Elementwise.scale(patternValues, from, visible, (float) spec.scale());
            RowKernels.softmax(patternValues, from, patternValues, from, visible);
            Arrays.fill(patternValues, from + visible, from + ld, 0f);
          }
          products(dZ, unit, v, s, gradient, scratch);
          mixBackwardValues(dZ, unit, pattern, s, dV, scratch);
          for (int t = 0; t < s.queries(); t++) {
            RowKernels.softmaxBackward(
                gradientValues,
                gradient.row(t),
                patternValues,
                pattern.row(t),
                gradientValues,
                gradient.row(t),
                s.visible(spec, t));
          }
          scoresBackwardQueries(gradient, unit, k, s, spec, dQ, scratch);
          scoresBackwardKeys(gradient, unit, q, s, spec, dK, scratch);
        });
  }

  void attentionMixBackward(
      float[] dZ, float[] pattern, float[] v, Sizes s, float[] dPattern, float[] dV) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          int ld = s.paddedKeys();
          float[] padded = scratch.floats(Use.GRADIENT, s.queries() * ld);
          products(dZ, unit, v, s, new Plane(padded, 0, ld), scratch);
          for (int t = 0; t < s.queries(); t++) {
            System.arraycopy(
                padded, t * ld, dPattern, s.patternFrom(unit) + t * s.keys(), s.keys());
          }
          Plane plane = new Plane(pattern, s.patternFrom(unit), s.keys());
          mixBackwardValues(dZ, unit, plane, s, dV, scratch);
        });
  }

  void attentionScoresBackward(
      float[] dScores,
      float[] q,
      float[] k,
      Sizes s,
      AttentionSpec spec,
      float[] dQ,
      float[] dK) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          Plane plane = new Plane(dScores, s.patternFrom(unit), s.keys());
          scoresBackwardQueries(plane, unit, k, s, spec, dQ, scratch);
          scoresBackwardKeys(plane, unit, q, s, spec, dK, scratch);
        });
  }

  // out[t, s] = Σ_d x[t, d]·keys[s, d] for all pairs; out has whole panels in each row.
  private static void products(
      float[] x, int unit, float[] keys, Sizes s, Plane out, Scratch scratch) {
    float[] packed =
        AttentionKernels.packAlongWidth(
            keys, s.keyFrom(unit), s, s.keys(), scratch, Use.KEYS);
    float[] tile = scratch.floats(Use.SCORES, ROWS * s.paddedKeys());
    for (int t = 0; t < s.queries(); t += ROWS) {
      int rows = Math.min(ROWS, s.queries() - t);
      AttentionKernels.scores(
          x, s.queryFrom(unit) + t * s.ld(), rows, packed, s, tile, s.paddedKeys(), scratch);
      System.arraycopy(tile, 0, out.values(), out.row(t), rows * s.paddedKeys());
    }
  }

  // dV[s, :] = Σ_t pattern[t, s]·dZ[t, :].
  private static void mixBackwardValues(
      float[] dZ, int unit, Plane pattern, Sizes s, float[] dV, Scratch scratch) {
    int queries = s.queries();
    float[] packed = packQueries(dZ, unit, s, scratch);
    float[] tile = scratch.floats(Use.ROWS, ROWS * queries);
    for (int key = 0; key < s.keys(); key += ROWS) {
      int lines = Math.min(ROWS, s.keys() - key);
      int t = firstNonZeroRow(pattern, key, lines, queries);
      int depth = queries - t;
      Packing.columns(
          pattern.values(), pattern.row(t) + key, pattern.ld(), lines, depth, tile, 0, ROWS);
      float[] sums = clearSums(s, scratch);
      addTile(tile, packed, t, depth, s, sums);
      store(sums, lines, s, dV, s.keyFrom(unit) + key * s.ld(), 1f);
    }
  }

  private static int firstNonZeroRow(Plane pattern, int key, int lines, int queries) {
    for (int t = 0; t < queries; t++) {
      if (RowKernels.lastNonZero(pattern.values(), pattern.row(t) + key, lines) >= 0) {
        return t;
      }
    }
    return queries;
  }

  // dQ[t, :] = scale·Σ_s dScores[t, s]·k[s, :] over visible s.
  private static void scoresBackwardQueries(
      Plane dScores, int unit, float[] k, Sizes s, AttentionSpec spec, float[] dQ, Scratch scratch) {
    float[] packed =
        AttentionKernels.packAlongKeys(k, s.keyFrom(unit), s, s.keys(), scratch, Use.VALUES);
    for (int t = 0; t < s.queries(); t += ROWS) {
      int[] limits = new int[Math.min(ROWS, s.queries() - t)];
      for (int r = 0; r < limits.length; r++) {
        limits[r] = s.visible(spec, t + r);
      }
      AttentionKernels.mixUpTo(
          limits,
          dScores.values(),
          dScores.row(t),
          dScores.ld(),
          packed,
          s.keys(),
          s,
          dQ,
          s.queryFrom(unit) + t * s.ld(),
          (float) spec.scale(),
          scratch);
    }
  }

  // dK[s, :] = scale·Σ_t dScores[t, s]·q[t, :] over the queries that see s. Queries that see only
  // some keys of a tile come first, key by key; those that see all follow by the tile kernel.
  private static void scoresBackwardKeys(
      Plane dScores, int unit, float[] q, Sizes s, AttentionSpec spec, float[] dK, Scratch scratch) {
    int queries = s.queries();
    int padded = Packing.roundUp(s.width(), COLUMNS);
    float[] packed = packQueries(q, unit, s, scratch);
    float[] tile = scratch.floats(Use.ROWS, ROWS * queries);
    float[] column = scratch.floats(Use.COLUMN, ROWS);
    for (int key = 0; key < s.keys(); key += ROWS) {
      int lines = Math.min(ROWS, s.keys() - key);
      float[] sums = clearSums(s, scratch);
      int all = firstQueryThatSees(spec, key + lines - 1, queries);
      for (int r = 0; r < lines; r++) {
        int first = firstQueryThatSees(spec, key + r, queries);
        for (int t = first; t < all; t++) {
          column[t - first] = dScores.values()[dScores.row(t) + key + r];
        }
        for (int j = 0; j < padded && first < all; j += COLUMNS) {
          int bFrom = j * queries + first * COLUMNS;
          MicroKernel.rows1(
              column, 0, packed, bFrom, all - first, sums, r * padded + j, padded);
        }
      }
      int from = dScores.row(all) + key;
      Packing.columns(
          dScores.values(), from, dScores.ld(), lines, queries - all, tile, 0, ROWS);
      addTile(tile, packed, all, queries - all, s, sums);
      store(sums, lines, s, dK, s.keyFrom(unit) + key * s.ld(), (float) spec.scale());
    }
  }

  private static int firstQueryThatSees(AttentionSpec spec, int key, int queries) {
    return Math.min(queries, Math.max(0, key - spec.firstQuery()));
  }

  private static float[] packQueries(float[] x, int unit, Sizes s, Scratch scratch) {
    int padded = Packing.roundUp(s.width(), COLUMNS);
    float[] to = scratch.floats(Use.QUERIES, s.queries() * padded);
    Packing.columnTiles(
        x, s.queryFrom(unit), s.ld(), s.width(), s.queries(), to, 0, COLUMNS);
    return to;
  }

  private static float[] clearSums(Sizes s, Scratch scratch) {
    int length = ROWS * Packing.roundUp(s.width(), COLUMNS);
    float[] sums = scratch.floats(Use.TILE, length);
    Arrays.fill(sums, 0, length, 0f);
    return sums;
  }

  // sums[r, :] += Σ_t tile[t, r]·packed[t, :] for `depth` queries from `first`.
  private static void addTile(
      float[] tile, float[] packed, int first, int depth, Sizes s, float[] sums) {
    int padded = Packing.roundUp(s.width(), COLUMNS);
    for (int j = 0; j < padded && depth > 0; j += COLUMNS) {
      int bFrom = j * s.queries() + first * COLUMNS;
      MicroKernel.tile(tile, 0, packed, bFrom, depth, sums, j, padded);
    }
  }

  private static void store(
      float[] sums, int lines, Sizes s, float[] out, int outFrom, float factor) {
    int padded = Packing.roundUp(s.width(), COLUMNS);
    for (int r = 0; r < lines; r++) {
      int to = outFrom + r * s.ld();
      System.arraycopy(sums, r * padded, out, to, s.width());
      if (factor != 1f) {
        Elementwise.scale(out, to, s.width(), factor);
      }
    }
  }
}
