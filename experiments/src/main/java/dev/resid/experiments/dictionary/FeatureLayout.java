package dev.resid.experiments.dictionary;

import dev.resid.experiments.study.RowLayout;

/**
 * Where the numbers of a feature stand. Names that end in {@code _n} are 1 where the number before
 * exists and 0 where not, or count what was summed.
 */
final class FeatureLayout {
  /** Equally wide bins between no activation and the largest. */
  static final int BINS = 8;

  /** Distances of removed tokens from the last one, 0 for the last one itself. */
  static final int DISTANCES = 16;

  /** Texts are cut to so many tokens, as the source does. */
  static final int TEXT_TOKENS = 25;

  /** For a correlation: how many, sums of x, y, x², y² and x·y. */
  static final int PRODUCTS = 6;

  /**
   * Of one feature. {@code shown} are changes of the activation at the end of its most active text,
   * without each token in turn, as shares of the activation; {@code shown_n} counts them.
   */
  static final RowLayout VALUES =
      RowLayout.empty()
          .with("present")
          .with("agreement_top")
          .with("agreement_bins")
          .with("agreement_n")
          .with("bin_hits", BINS)
          .with("bin_n", BINS)
          .with("lens")
          .with("lens_n")
          .with("masked_in_top")
          .with("change", DISTANCES)
          .with("change_n", DISTANCES)
          .with("previous")
          .with("previous_n")
          .with("others")
          .with("contrast")
          .with("contrast_n")
          .with("previous_feature")
          .with("either")
          .with("either_n")
          .with("effect")
          .with("effect_n")
          .with("elsewhere")
          .with("elsewhere_n")
          .with("products", PRODUCTS)
          .with("shown", TEXT_TOKENS)
          .with("shown_n");

  private FeatureLayout() {}
}
