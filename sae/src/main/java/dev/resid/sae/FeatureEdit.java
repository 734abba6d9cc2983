package dev.resid.sae;

/** A change of features between encoding and decoding; {@link FeatureEdits} has the usual ones. */
@FunctionalInterface
public interface FeatureEdit {
  /**
   * Returns the changed features, of the same rows and d_sae; the argument is left as it is.
   *
   * @param features what was encoded, or what the edit before this one returned
   */
  SparseFeatures apply(SparseFeatures features);
}
