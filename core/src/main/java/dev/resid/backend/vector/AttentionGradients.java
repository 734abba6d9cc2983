package dev.resid.backend.vector;

import static dev.resid.backend.vector.AttentionKernels.COLUMNS;
import static dev.resid.backend.vector.AttentionKernels.ROWS;

import dev.resid.backend.vector.AttentionKernels.Plane;
import dev.resid.backend.vector.AttentionKernels.Sizes;
import dev.resid.backend.vector.AttentionKernels.Values;
import dev.resid.backend.vector.Scratch.Use;
import dev.resid.tensor.AttentionSpec;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

// The gradients of AttentionKernels, of one head of one batch row at a time, which writes dQ, dK
// and dV of that head alone. Sums over queries are chains over ascending t, sums over keys over
// ascending s, both then plus 0; terms whose factor from the pattern or from dScores is 0 or masked
// are left out as AttentionKernels explains. The fused method recomputes the pattern of a head and
// then calls the same routines as the separate ones.
//
// Letters as in AttentionKernels.
final class AttentionGradients {
  private final Workers workers;

  AttentionGradients(Workers workers) {
    this.workers = workers;
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
          int length = Packing.roundUp(s.queries(), ROWS) * ld;
          Plane pattern = new Plane(scratch.floats(Use.PATTERN, length), 0, ld);
          Plane gradient = new Plane(scratch.floats(Use.GRADIENT, length), 0, ld);
          products(q, unit, k, s, spec, pattern, scratch);
          for (int t = 0; t < s.queries(); t++) {
            int visible = s.visible(spec, t);
            AttentionKernels.softmax(pattern, t, visible, spec);
            Arrays.fill(pattern.values(), pattern.row(t) + visible, pattern.row(t) + ld, 0f);
          }
          products(dZ, unit, v, s, spec, gradient, scratch);
          mixBackwardValues(dZ, unit, pattern, s, spec, dV, scratch);
          for (int t = 0; t < s.queries(); t++) {
            RowKernels.softmaxBackward(
                gradient.values(),
                gradient.row(t),
                pattern.values(),
                pattern.row(t),
                gradient.values(),
                gradient.row(t),
                s.visible(spec, t));
          }
          scoresBackwardQueries(gradient, unit, k, s, spec, dQ, scratch);
          scoresBackwardKeys(gradient, unit, q, s, spec, dK, scratch);
        });
  }

  // A pattern given from outside may have entries anywhere.
  private static final AttentionSpec EVERYTHING = new AttentionSpec(1, Integer.MAX_VALUE);

  void attentionMixBackward(
      float[] dZ, float[] pattern, float[] v, Sizes s, float[] dPattern, float[] dV) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          int ld = s.paddedKeys();
          int length = Packing.roundUp(s.queries(), ROWS) * ld;
          Plane padded = new Plane(scratch.floats(Use.GRADIENT, length), 0, ld);
          products(dZ, unit, v, s, EVERYTHING, padded, scratch);
          for (int t = 0; t < s.queries(); t++) {
            int to = s.patternFrom(unit) + t * s.keys();
            System.arraycopy(padded.values(), padded.row(t), dPattern, to, s.keys());
          }
          Plane plane = new Plane(pattern, s.patternFrom(unit), s.keys());
          mixBackwardValues(dZ, unit, plane, s, EVERYTHING, dV, scratch);
        });
  }

  void attentionScoresBackward(
      float[] dScores, float[] q, float[] k, Sizes s, AttentionSpec spec, float[] dQ, float[] dK) {
    workers.run(
        s.units(),
        (unit, scratch) -> {
          Plane plane = new Plane(dScores, s.patternFrom(unit), s.keys());
          scoresBackwardQueries(plane, unit, k, s, spec, dQ, scratch);
          scoresBackwardKeys(plane, unit, q, s, spec, dK, scratch);
        });
  }

  // out[t, s] = Σ_d x[t, d]·keys[s, d] for visible pairs at least; out has whole tiles and panels.
  private static void products(
      float[] x, int unit, float[] keys, Sizes s, AttentionSpec spec, Plane out, Scratch scratch) {
    MemorySegment packed =
        AttentionKernels.packAlongWidth(keys, s.keyFrom(unit), s, s.keys(), scratch);
    for (int t = 0; t < s.queries(); t += ROWS) {
      int rows = Math.min(ROWS, s.queries() - t);
      int keyCount = Packing.roundUp(s.visible(spec, t + rows - 1), COLUMNS);
      int from = s.queryFrom(unit) + t * s.ld();
      AttentionKernels.scores(x, from, rows, packed, s, out.below(t), keyCount, scratch);
    }
  }

  // dV[s, :] = Σ_t pattern[t, s]·dZ[t, :]; where the pattern is masked it is 0.
  private static void mixBackwardValues(
      float[] dZ,
      int unit,
      Plane pattern,
      Sizes s,
      AttentionSpec spec,
      float[] dV,
      Scratch scratch) {
    int queries = s.queries();
    Values packed = packQueries(dZ, unit, s, scratch);
    float[] tile = scratch.floats(Use.ROWS, ROWS * queries);
    for (int key = 0; key < s.keys(); key += ROWS) {
      int lines = Math.min(ROWS, s.keys() - key);
      int to = s.keyFrom(unit) + key * s.ld();
      if (!packed.finite()) {
        addKeyByKey(pattern, 0, key, lines, packed, s, dV, to, 1f);
        continue;
      }
      int first = firstQueryThatSees(spec, key, queries);
      while (first < queries
          && RowKernels.lastNonZero(pattern.values(), pattern.row(first) + key, lines) < 0) {
        first++;
      }
      int depth = queries - first;
      Packing.columns(
          pattern.values(), pattern.row(first) + key, pattern.ld(), lines, depth, tile, 0, ROWS);
      AttentionKernels.addTile(tile, packed, first, depth, s, scratch);
      store(lines, s, dV, to, 1f, scratch);
    }
  }

  // dQ[t, :] = scale·Σ_s dScores[t, s]·k[s, :] over visible s.
  private static void scoresBackwardQueries(
      Plane dScores,
      int unit,
      float[] k,
      Sizes s,
      AttentionSpec spec,
      float[] dQ,
      Scratch scratch) {
    Values packed =
        AttentionKernels.packAlongKeys(k, s.keyFrom(unit), s, s.keys(), scratch, Use.VALUES);
    int[] limits = new int[ROWS];
    float scale = (float) spec.scale();
    for (int t = 0; t < s.queries(); t += ROWS) {
      int rows = Math.min(ROWS, s.queries() - t);
      for (int r = 0; r < rows; r++) {
        limits[r] = s.visible(spec, t + r);
      }
      int to = s.queryFrom(unit) + t * s.ld();
      AttentionKernels.mix(dScores.below(t), rows, limits, packed, s, dQ, to, scale, scratch);
    }
  }

  // dK[s, :] = scale·Σ_t dScores[t, s]·q[t, :] over the queries that see s.
  private static void scoresBackwardKeys(
      Plane dScores,
      int unit,
      float[] q,
      Sizes s,
      AttentionSpec spec,
      float[] dK,
      Scratch scratch) {
    int queries = s.queries();
    Values packed = packQueries(q, unit, s, scratch);
    float[] tile = scratch.floats(Use.ROWS, ROWS * queries);
    float scale = (float) spec.scale();
    for (int key = 0; key < s.keys(); key += ROWS) {
      int lines = Math.min(ROWS, s.keys() - key);
      int to = s.keyFrom(unit) + key * s.ld();
      int first = firstQueryThatSees(spec, key, queries);
      if (!packed.finite()) {
        for (int r = 0; r < lines; r++) {
          int own = firstQueryThatSees(spec, key + r, queries);
          addKeyByKey(dScores, own, key + r, 1, packed, s, dK, to + r * s.ld(), scale);
        }
        continue;
      }
      int depth = queries - first;
      Packing.columns(
          dScores.values(), dScores.row(first) + key, dScores.ld(), lines, depth, tile, 0, ROWS);
      for (int r = 1; r < lines; r++) {
        int own = firstQueryThatSees(spec, key + r, queries);
        for (int t = first; t < own; t++) {
          tile[(t - first) * ROWS + r] = 0f;
        }
      }
      AttentionKernels.addTile(tile, packed, first, depth, s, scratch);
      store(lines, s, dK, to, scale, scratch);
    }
  }

  private static int firstQueryThatSees(AttentionSpec spec, int key, int queries) {
    return Math.min(queries, Math.max(0, key - spec.firstQuery()));
  }

  private static Values packQueries(float[] x, int unit, Sizes s, Scratch scratch) {
    return AttentionKernels.packAlongKeys(
        x, s.queryFrom(unit), s, s.queries(), scratch, Use.QUERIES);
  }

  // The sums over queries from `first` on where the values are not finite, for `lines` keys.
  private static void addKeyByKey(
      Plane weights,
      int first,
      int key,
      int lines,
      Values values,
      Sizes s,
      float[] out,
      int outFrom,
      float factor) {
    for (int r = 0; r < lines; r++) {
      int to = outFrom + r * s.ld();
      AttentionKernels.mixKeyByKey(
          weights.values(),
          weights.row(first) + key + r,
          weights.ld(),
          s.queries() - first,
          values.source(),
          values.from() + first * s.ld(),
          s,
          out,
          to);
      AttentionKernels.finish(out, to, out, to, s.width(), factor);
    }
  }

  private static void store(
      int lines, Sizes s, float[] out, int outFrom, float factor, Scratch scratch) {
    int padded = s.paddedWidth();
    float[] sums = scratch.floats(Use.TILE, ROWS * padded);
    for (int r = 0; r < lines; r++) {
      AttentionKernels.finish(sums, r * padded, out, outFrom + r * s.ld(), s.width(), factor);
    }
  }
}
