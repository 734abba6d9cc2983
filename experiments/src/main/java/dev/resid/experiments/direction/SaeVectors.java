package dev.resid.experiments.direction;

import dev.resid.experiments.direction.Direction.SaeError;
import dev.resid.experiments.direction.Direction.SaeFeature;
import dev.resid.experiments.direction.UnitVectors.RowVectors;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import java.util.BitSet;

/** The vectors of the directions that an SAE gives. */
final class SaeVectors {
  private SaeVectors() {}

  /** Returns SAE(x) − x of every row. */
  static RowVectors errors(SaeError direction, BasePoints base) {
    float[] reconstructed = direction.sae().sae().reconstruct(base.activation()).toArray();
    int d = base.dimension();
    return row -> {
      double[] raw = new double[base.length(row) * d];
      int offset = base.offset(row, 0);
      for (int i = 0; i < raw.length; i++) {
        raw[i] = (double) reconstructed[offset + i] - base.value(row, i / d, i % d);
      }
      return raw;
    };
  }

  /** Returns the decoder rows drawn for every row. */
  static RowVectors features(SaeFeature direction, CounterRandom random, BasePoints base) {
    SparseFeatures features = direction.sae().sae().encode(base.activation());
    Sae sae = direction.sae().sae();
    BitSet alive = direction.alive();
    int d = base.dimension();
    return row -> {
      int[] candidates = candidates(direction, alive, features, base, row);
      if (candidates.length == 0) {
        return UnitVectors.NONE;
      }
      double[] raw = new double[base.length(row) * d];
      long stream = DrawKeys.SAE_FEATURE.stream(base.firstRow() + row);
      for (int pos = 0; pos < base.length(row); pos++) {
        int feature = candidates[random.below(candidates.length, stream, pos, 0)];
        float[] decoderRow = sae.decoderRow(feature).toArray();
        for (int c = 0; c < d; c++) {
          raw[pos * d + c] = decoderRow[c];
        }
      }
      return raw;
    };
  }

  /** Returns the features that may be drawn in a row, ascending; none if there are none. */
  static int[] candidates(
      SaeFeature direction, BitSet alive, SparseFeatures features, BasePoints base, int row) {
    BitSet candidates = activeIn(features, base, row);
    switch (direction.choice()) {
      case ACTIVE -> {
        // They are what they are.
      }
      case ALIVE_NOT_ACTIVE -> {
        candidates.flip(0, features.dSae());
        candidates.and(alive);
      }
      case DEAD -> {
        candidates.clear();
        candidates.or(alive);
        candidates.flip(0, features.dSae());
      }
    }
    return candidates.stream().toArray();
  }

  private static BitSet activeIn(SparseFeatures features, BasePoints base, int row) {
    BitSet active = new BitSet(features.dSae());
    int first = base.offset(row, 0) / base.dimension();
    for (int r = first; r < first + base.length(row); r++) {
      for (int at = features.start(r); at < features.end(r); at++) {
        if (features.values()[at] > FeatureChoice.ACTIVE_ABOVE) {
          active.set(features.indices()[at]);
        }
      }
    }
    return active;
  }
}
