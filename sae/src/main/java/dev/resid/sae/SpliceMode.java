package dev.resid.sae;

/** What an SAE puts in the place of an activation. */
public enum SpliceMode {
  /** The reconstruction alone. */
  RECONSTRUCTION,
  /**
   * The reconstruction plus what it misses, x − SAE(x) of the features before any edit: without
   * edits the model computes what it did, up to rounding.
   */
  WITH_ERROR
}
