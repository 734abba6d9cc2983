package dev.resid.experiments.language;

import dev.resid.experiments.study.RowLayout;

/** Where the numbers of one prompt stand; [sae] where there is one number an SAE. */
final class ClozeLayout {
  static final String CORRECT = "correct";
  static final String LN_P = "ln_p";

  /** Sum of cross-entropies over the prompt, and how many there are. */
  static final String CE_SUM = "ce_sum";

  static final String CE_COUNT = "ce_count";

  /** Positions that SAE means run over: all but the last token. */
  static final String POSITIONS = "positions";

  static final String SAE_CORRECT = "sae_correct";
  static final String DELTA_LN_P = "delta_ln_p";
  static final String SAE_CE_SUM = "sae_ce_sum";

  /** 0 both correct, 1 baseline only, 2 SAE only, 3 neither: one indicator each, [sae, class]. */
  static final String CLASS = "class";

  static final String NO_DECREASE = "no_decrease";

  /** Sums over the positions: [sae, quantity]; the same at position 0 alone. */
  static final String SUMS = "sums";

  static final String FIRST = "first";

  /** Sum over the prompt of what the SAE adds to the cross-entropy: [sae]. */
  static final String DELTA_CE_SUM = "delta_ce_sum";

  /** Sum over the positions of {@link SaeQuality#normalizedMse}: [sae]. */
  static final String NORMALIZED_MSE = "normalized_mse";

  static final int L0 = 0;
  static final int L1 = 1;
  static final int SQUARED_ERROR = 2;
  static final int NORM = 3;
  static final int QUANTITIES = 4;
  static final int CLASSES = 4;

  private ClozeLayout() {}

  static RowLayout of(int saes) {
    return RowLayout.empty()
        .with(CORRECT)
        .with(LN_P)
        .with(CE_SUM)
        .with(CE_COUNT)
        .with(POSITIONS)
        .with(SAE_CORRECT, saes)
        .with(DELTA_LN_P, saes)
        .with(SAE_CE_SUM, saes)
        .with(CLASS, saes, CLASSES)
        .with(NO_DECREASE, saes)
        .with(SUMS, saes, QUANTITIES)
        .with(FIRST, saes, QUANTITIES)
        .with(DELTA_CE_SUM, saes)
        .with(NORMALIZED_MSE, saes);
  }
}
