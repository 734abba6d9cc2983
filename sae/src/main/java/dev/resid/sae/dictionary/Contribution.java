package dev.resid.sae.dictionary;

import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Tensor;

/** What one feature adds to a reconstruction: f_i·d_i, scaled as the normalisation scales it. */
final class Contribution {
  private Contribution() {}

  /**
   * Returns the feature's part of the reconstruction, in the shape of what the SAE writes; exactly
   * 0 where the feature is not active.
   *
   * @param sae decodes
   * @param features of the rows of {@code input}
   * @param input what was encoded
   * @param feature which one
   */
  static Tensor of(Sae sae, SparseFeatures features, Tensor input, int feature) {
    Tensor with = sae.decode(only(features, feature), input);
    return with.minus(sae.decode(only(features, -1), input));
  }

  /**
   * Returns what one feature would add if it had a given value at every row.
   *
   * @param sae decodes
   * @param features of the rows of {@code input}
   * @param input what was encoded
   * @param feature which one
   * @param value at every row, not 0
   */
  static Tensor constant(Sae sae, SparseFeatures features, Tensor input, int feature, float value) {
    long[] starts = new long[features.rows() + 1];
    int[] indices = new int[features.rows()];
    float[] values = new float[features.rows()];
    for (int row = 0; row < features.rows(); row++) {
      starts[row + 1] = row + 1L;
    }
    java.util.Arrays.fill(indices, feature);
    java.util.Arrays.fill(values, value);
    SparseFeatures everywhere =
        new SparseFeatures(features.leading(), features.dSae(), starts, indices, values);
    return sae.decode(everywhere, input).minus(sae.decode(only(features, -1), input));
  }

  /** Returns the features without all but one; of none if that one does not exist. */
  private static SparseFeatures only(SparseFeatures features, int feature) {
    long[] starts = new long[features.rows() + 1];
    int[] indices = new int[features.rows()];
    float[] values = new float[features.rows()];
    int n = 0;
    for (int row = 0; row < features.rows(); row++) {
      float value = feature < 0 ? 0 : features.get(row, feature);
      if (value != 0) {
        indices[n] = feature;
        values[n++] = value;
      }
      starts[row + 1] = n;
    }
    return new SparseFeatures(features.leading(), features.dSae(), starts, indices, values);
  }
}
