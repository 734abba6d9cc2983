package dev.resid.sae.metric;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The numbers of SAELens' evaluation under its names, for comparison with published ones. Some are
 * not what their names say elsewhere: see {@link #of}.
 *
 * @source sae_lens 6.18.0, {@code sae_lens/evals.py}
 */
public final class SaeLensMetrics {
  private SaeLensMetrics() {}

  /**
   * Returns the metrics over batches of equally many tokens, each evaluated by itself, x̄ included.
   * Where SAELens averages batch results, so does this; hence numbers depend on the batches.
   *
   * <p>{@code mse} divides by the number of tokens once more than a mean does. {@code
   * explained_variance} is 1 − A/(B − C²) with A the mean of ‖y − x‖², B the mean of ‖x‖² and C =
   * B/d, which is no explained variance; {@code explained_variance_legacy} is the textbook one.
   *
   * @param batches sums of each batch, at least one
   * @param width d, the width of the activations
   * @accuracy 1e-3 relative against the library's values in float64 (its own float32 runs differ
   *     from them by about as much)
   */
  public static Map<String, Double> of(List<SaeSums> batches, int width) {
    if (batches.isEmpty()) {
      throw new IllegalArgumentException("there is no batch");
    }
    Map<String, Double> metrics = new LinkedHashMap<>();
    double ce = mean(batches, SaeMetric.CE_CLEAN);
    double ceSae = mean(batches, SaeMetric.CE_SAE);
    double ceZero = mean(batches, SaeMetric.CE_ZERO_ABLATION);
    double kl = mean(batches, SaeMetric.KL_SAE);
    double klZero = mean(batches, SaeMetric.KL_ZERO_ABLATION);
    metrics.put("kl_div_score", (klZero - kl) / klZero);
    metrics.put("kl_div_with_ablation", klZero);
    metrics.put("kl_div_with_sae", kl);
    metrics.put("ce_loss_score", SaeMetric.lossRecovered(ce, ceSae, ceZero));
    metrics.put("ce_loss_with_ablation", ceZero);
    metrics.put("ce_loss_with_sae", ceSae);
    metrics.put("ce_loss_without_sae", ce);
    double error = mean(batches, SaeMetric.SQUARED_ERROR);
    double square =
        mean(batches, s -> s.get(TokenScope.ALL, Sum.SQUARED_NORM) / s.tokens(TokenScope.ALL));
    double mixed = square / width;
    metrics.put("explained_variance", 1 - error / (square - mixed * mixed));
    metrics.put("explained_variance_legacy", mean(batches, SaeMetric.EXPLAINED_VARIANCE));
    metrics.put(
        "mse",
        mean(
            batches,
            s -> SaeMetric.SQUARED_ERROR.of(s, TokenScope.ALL) / s.tokens(TokenScope.ALL)));
    metrics.put("cossim", mean(batches, SaeMetric.COSINE));
    metrics.put("l2_norm_in", mean(batches, SaeMetric.NORM_IN));
    metrics.put("l2_norm_out", mean(batches, SaeMetric.NORM_OUT));
    metrics.put("l2_ratio", mean(batches, SaeMetric.NORM_RATIO));
    metrics.put(
        "relative_reconstruction_bias", mean(batches, SaeMetric.RELATIVE_RECONSTRUCTION_BIAS));
    metrics.put("l0", mean(batches, SaeMetric.L0));
    metrics.put("l1", mean(batches, SaeMetric.L1));
    return metrics;
  }

  /**
   * Returns {@code consistent_activation_heuristic}, [d_sae]: tokens on which a feature is active
   * over rows in which it is; not a number for a feature that never is.
   *
   * @param sums of the token set
   */
  public static double[] consistentActivationHeuristic(SaeSums sums) {
    long[] tokens = sums.activeTokens(TokenScope.ALL);
    long[] rows = sums.activeRows();
    double[] heuristic = new double[tokens.length];
    for (int i = 0; i < heuristic.length; i++) {
      heuristic[i] = (double) tokens[i] / rows[i];
    }
    return heuristic;
  }

  private static double mean(List<SaeSums> batches, SaeMetric metric) {
    return mean(batches, s -> metric.of(s, TokenScope.ALL));
  }

  private static double mean(List<SaeSums> batches, ToDoubleFunction<SaeSums> number) {
    return batches.stream().mapToDouble(number).average().orElseThrow();
  }
}
