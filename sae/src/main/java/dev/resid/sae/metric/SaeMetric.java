package dev.resid.sae.metric;

import java.util.Locale;

/**
 * The one table of metrics of an SAE: name, unit, definition. x is the activation the SAE stands
 * for, y its reconstruction, f its features, x̄ the mean of x over all tokens of the scope, d the
 * width of x. A mean is over the tokens of the scope; a loss is in nats.
 *
 * @source experiment document, section 1.6 (names and definitions); Bloom's and Apollo Research's
 *     training code for normalised errors and loss recovered
 */
public enum SaeMetric {
  /** Tokens that were measured. */
  TOKENS(Group.SPARSITY, "tokens", "number of tokens", (s, scope) -> s.get(scope, Sum.TOKENS)),
  /** Mean number of active features. */
  L0(Group.SPARSITY, "features", "mean number of features that are not 0", mean(Sum.L0)),
  /** Mean sum of feature values. */
  L1(Group.SPARSITY, "model units", "mean of Σ |f_i|", mean(Sum.L1)),
  /** Features active at least once. */
  ALIVE_FEATURES(
      Group.SPARSITY,
      "features",
      "features active on at least one token",
      (s, scope) -> FrequencyHistogram.alive(s.activeTokens(scope))),
  /** Features never active. */
  DEAD_FEATURES(
      Group.SPARSITY,
      "features",
      "features active on no token of this set; more text can only make them fewer",
      (s, scope) -> s.dSae() - FrequencyHistogram.alive(s.activeTokens(scope))),
  /** Part of the features that is dead. */
  DEAD_PART(
      Group.SPARSITY,
      "part of d_sae",
      "dead features / d_sae",
      (s, scope) -> 1 - (double) FrequencyHistogram.alive(s.activeTokens(scope)) / s.dSae()),
  /** Features active very often. */
  DENSE_FEATURES(
      Group.SPARSITY,
      "features",
      "features active on more than a tenth of the tokens",
      (s, scope) -> FrequencyHistogram.dense(s.activeTokens(scope), s.tokens(scope))),

  /** Mean squared distance, summed over the width. */
  SQUARED_ERROR(
      Group.RECONSTRUCTION,
      "model units²",
      "mean of ‖y − x‖², summed over the width",
      mean(Sum.SQUARED_ERROR)),
  /** Squared error over squared norm. */
  RELATIVE_SQUARED_ERROR(
      Group.RECONSTRUCTION, "", "Σ ‖y − x‖² / Σ ‖x‖²", ratio(Sum.SQUARED_ERROR, Sum.SQUARED_NORM)),
  /** Bloom's training term with centred norms. */
  NORMALIZED_MSE(
      Group.RECONSTRUCTION,
      "model units",
      "mean over tokens and width of (y − x)² / ‖x − x̄‖",
      ratio(Sum.ERROR_BY_DEVIATION, Sum.DEVIATION_TOKENS)),
  /** Bloom's training term with plain norms. */
  NORMALIZED_MSE_BY_NORM(
      Group.RECONSTRUCTION,
      "model units",
      "mean over tokens and width of (y − x)² / ‖x‖",
      ratio(Sum.ERROR_BY_NORM, Sum.NORM_TOKENS)),
  /** Mean part of a token's deviation that is explained. */
  EXPLAINED_VARIANCE(
      Group.RECONSTRUCTION,
      "",
      "mean of 1 − ‖y − x‖² / ‖x − x̄‖²; 0 for y = x̄, 1 for y = x",
      (s, scope) ->
          1 - s.get(scope, Sum.ERROR_BY_SQUARED_DEVIATION) / s.get(scope, Sum.DEVIATION_TOKENS)),
  /** Part of the summed variance that is explained. */
  EXPLAINED_VARIANCE_POOLED(
      Group.RECONSTRUCTION,
      "",
      "1 − Σ ‖y − x‖² / Σ ‖x − x̄‖²; 0 for y = x̄, 1 for y = x",
      (s, scope) -> 1 - s.get(scope, Sum.SQUARED_ERROR) / s.get(scope, Sum.SQUARED_DEVIATION)),
  /** Mean cosine. */
  COSINE(
      Group.RECONSTRUCTION,
      "",
      "mean of x·y / (‖x‖·‖y‖); tokens with y = 0 are left out",
      ratio(Sum.COSINE, Sum.COSINE_TOKENS)),
  /** Mean norm of x. */
  NORM_IN(Group.RECONSTRUCTION, "model units", "mean of ‖x‖", mean(Sum.NORM)),
  /** Mean norm of y. */
  NORM_OUT(Group.RECONSTRUCTION, "model units", "mean of ‖y‖", mean(Sum.NORM_OUT)),
  /** Mean ratio of norms. */
  NORM_RATIO(Group.RECONSTRUCTION, "", "mean of ‖y‖ / ‖x‖", ratio(Sum.NORM_RATIO, Sum.NORM_TOKENS)),
  /** Shrinkage towards 0. */
  RELATIVE_RECONSTRUCTION_BIAS(
      Group.RECONSTRUCTION,
      "",
      "Σ ‖y‖² / Σ x·y; below 1 the reconstruction is too short",
      ratio(Sum.SQUARED_NORM_OUT, Sum.PRODUCT)),

  /** Clean loss. */
  CE_CLEAN(
      Group.PREDICTION,
      "nats",
      "mean cross-entropy of the next token, model as it is",
      loss(Sum.CE_CLEAN)),
  /** Loss with the SAE. */
  CE_SAE(
      Group.PREDICTION, "nats", "the same with y in the place of x, everywhere", loss(Sum.CE_SAE)),
  /** Increase of the loss. */
  CE_INCREASE(
      Group.PREDICTION,
      "nats",
      "ce_sae − ce_clean",
      (s, scope) -> loss(Sum.CE_SAE).of(s, scope) - loss(Sum.CE_CLEAN).of(s, scope)),
  /** Loss after zero ablation. */
  CE_ZERO_ABLATION(
      Group.PREDICTION, "nats", "the same with 0 in the place of x, everywhere", loss(Sum.CE_ZERO)),
  /** Loss after mean ablation. */
  CE_MEAN_ABLATION(
      Group.PREDICTION,
      "nats",
      "the same with x̄ of all tokens in the place of x, everywhere",
      loss(Sum.CE_MEAN)),
  /** Loss recovered, zero ablation. */
  CE_RECOVERED_ZERO_ABLATION(
      Group.PREDICTION,
      "",
      "(ce_zero_ablation − ce_sae) / (ce_zero_ablation − ce_clean)",
      recovered(Sum.CE_ZERO)),
  /** Loss recovered, mean ablation. */
  CE_RECOVERED_MEAN_ABLATION(
      Group.PREDICTION,
      "",
      "(ce_mean_ablation − ce_sae) / (ce_mean_ablation − ce_clean)",
      recovered(Sum.CE_MEAN)),
  /** KL to the clean run. */
  KL_SAE(
      Group.PREDICTION,
      "nats",
      "mean KL(clean‖with y in the place of x), over every position",
      mean(Sum.KL_SAE)),
  /** KL after zero ablation. */
  KL_ZERO_ABLATION(
      Group.PREDICTION, "nats", "the same with 0 in the place of x", mean(Sum.KL_ZERO)),
  /** KL after mean ablation. */
  KL_MEAN_ABLATION(
      Group.PREDICTION, "nats", "the same with x̄ in the place of x", mean(Sum.KL_MEAN)),
  /** KL recovered, zero ablation. */
  KL_RECOVERED_ZERO_ABLATION(
      Group.PREDICTION,
      "",
      "(kl_zero_ablation − kl_sae) / kl_zero_ablation",
      (s, scope) -> 1 - s.get(scope, Sum.KL_SAE) / s.get(scope, Sum.KL_ZERO)),
  /** KL recovered, mean ablation. */
  KL_RECOVERED_MEAN_ABLATION(
      Group.PREDICTION,
      "",
      "(kl_mean_ablation − kl_sae) / kl_mean_ablation",
      (s, scope) -> 1 - s.get(scope, Sum.KL_SAE) / s.get(scope, Sum.KL_MEAN));

  /** What a metric is about. */
  public enum Group {
    /** Which features are used, and how much. */
    SPARSITY,
    /** How near the reconstruction is. */
    RECONSTRUCTION,
    /** What it does to the model's predictions. */
    PREDICTION
  }

  /** How a metric follows from sums. */
  private interface Formula {
    double of(SaeSums sums, TokenScope scope);
  }

  private final Group group;
  private final String unit;
  private final String definition;
  private final Formula formula;

  SaeMetric(Group group, String unit, String definition, Formula formula) {
    this.group = group;
    this.unit = unit;
    this.definition = definition;
    this.formula = formula;
  }

  /** Returns what it is about. */
  public Group group() {
    return group;
  }

  /** Returns the name in files, for example {@code explained_variance}. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns the unit; empty for a ratio. */
  public String unit() {
    return unit;
  }

  /** Returns the definition, a formula or a few words. */
  public String definition() {
    return definition;
  }

  /**
   * Returns the value; not a number where it does not exist, as a loss over rows of one token.
   *
   * @param sums of a token set
   * @param scope which of its tokens
   */
  double of(SaeSums sums, TokenScope scope) {
    return formula.of(sums, scope);
  }

  /**
   * Returns the part of a loss that an SAE wins back: (ablated − sae) / (ablated − clean).
   *
   * @param clean loss of the model as it is
   * @param sae loss with the SAE
   * @param ablated loss with the activation ablated
   */
  public static double lossRecovered(double clean, double sae, double ablated) {
    return (ablated - sae) / (ablated - clean);
  }

  private static Formula mean(Sum sum) {
    return ratio(sum, Sum.TOKENS);
  }

  private static Formula loss(Sum sum) {
    return ratio(sum, Sum.PREDICTIONS);
  }

  private static Formula ratio(Sum numerator, Sum denominator) {
    return (s, scope) -> s.get(scope, numerator) / s.get(scope, denominator);
  }

  private static Formula recovered(Sum ablated) {
    return (s, scope) ->
        lossRecovered(
            loss(Sum.CE_CLEAN).of(s, scope),
            loss(Sum.CE_SAE).of(s, scope),
            loss(ablated).of(s, scope));
  }
}
