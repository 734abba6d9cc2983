package dev.resid.sae;

import java.util.Arrays;

/**
 * Edits of one feature, in every row. An edit refuses features that have no such index.
 *
 * <p>A feature's share of the reconstruction is its value times its decoder row (times its scaling
 * factor and over its decoder norm where the SAE has those; a normalisation of rows is undone after
 * that).
 */
public final class FeatureEdits {
  private FeatureEdits() {}

  /** Returns a new value for a value of a feature; 0 is one that is not active. */
  @FunctionalInterface
  private interface Change {
    float of(float value);
  }

  /**
   * Returns the edit f_index = value.
   *
   * @param index which feature, below d_sae
   * @param value its value in every row; 0 makes it inactive, below 0 is allowed
   */
  public static FeatureEdit set(int index, double value) {
    return features -> change(features, index, old -> (float) value);
  }

  /**
   * Returns the edit f_index = factor·f_index; rows where the feature is not active stay as they
   * are.
   *
   * @param index which feature, below d_sae
   * @param factor multiplies its value
   */
  public static FeatureEdit scale(int index, double factor) {
    return features -> change(features, index, old -> old == 0 ? 0 : (float) (old * factor));
  }

  /**
   * Returns the edit f_index = 0: the feature's ablation.
   *
   * @param index which feature, below d_sae
   */
  public static FeatureEdit zero(int index) {
    return set(index, 0);
  }

  /**
   * Returns the edit f_index = f_index + amount, which adds amount times the feature's decoder row
   * to the reconstruction, in every row whether the feature is active or not.
   *
   * @param index which feature, below d_sae
   * @param amount how much; below 0 steers away
   */
  public static FeatureEdit steer(int index, double amount) {
    return features -> change(features, index, old -> (float) (old + amount));
  }

  private static SparseFeatures change(SparseFeatures features, int index, Change change) {
    if (index < 0 || index >= features.dSae()) {
      throw new IllegalArgumentException(
          "there is no feature "
              + index
              + ": the SAE has "
              + features.dSae()
              + ", 0 to "
              + (features.dSae() - 1));
    }
    int rows = features.rows();
    long[] starts = new long[rows + 1];
    int most = Math.toIntExact(features.count() + rows);
    int[] indices = new int[most];
    float[] values = new float[most];
    int n = 0;
    for (int r = 0; r < rows; r++) {
      int found =
          Arrays.binarySearch(features.indices(), features.start(r), features.end(r), index);
      int place = found < 0 ? -found - 1 : found;
      n = copy(features, features.start(r), place, indices, values, n);
      float value = change.of(found < 0 ? 0 : features.values()[found]);
      if (value != 0) {
        indices[n] = index;
        values[n++] = value;
      }
      n = copy(features, found < 0 ? place : place + 1, features.end(r), indices, values, n);
      starts[r + 1] = n;
    }
    return new SparseFeatures(features.leading(), features.dSae(), starts, indices, values);
  }

  /** Copies a range of pairs to place n and returns the place after them. */
  private static int copy(
      SparseFeatures features, int from, int to, int[] indices, float[] values, int n) {
    System.arraycopy(features.indices(), from, indices, n, to - from);
    System.arraycopy(features.values(), from, values, n, to - from);
    return n + to - from;
  }
}
