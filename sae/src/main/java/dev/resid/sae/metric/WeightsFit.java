package dev.resid.sae.metric;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightsState;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeMismatchException;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which of two states of a model's weights an SAE was trained on, where nothing states it: the one
 * whose activations it reconstructs better.
 *
 * @param raw {@link #unexplained} on the weights as they are in the files
 * @param transformerLens {@link #unexplained} on the weights as TransformerLens rewrites them
 */
public record WeightsFit(double raw, double transformerLens) {
  /**
   * Errors this close, as a part of the smaller, decide nothing. An SAE that layer-normalises what
   * it reads sees no difference but rounding, and one of a model whose activations have a mean near
   * 0 differs by a few percent either way; others err by several times more on weights that they
   * were not trained on.
   */
  private static final double UNDECIDED = 0.1;

  /** Returns the state that fits better; empty where both fit alike. */
  public Optional<WeightsState> better() {
    if (Math.abs(raw - transformerLens) <= UNDECIDED * Math.min(raw, transformerLens)) {
      return Optional.empty();
    }
    return Optional.of(raw < transformerLens ? WeightsState.RAW : WeightsState.TRANSFORMER_LENS);
  }

  /**
   * Returns the part of the variance that an SAE leaves unexplained, Σ‖x̂ − x‖² / Σ‖x − mean‖² over
   * all positions but the first of each row, whose norm is far above all others'.
   *
   * @param sae reads what it writes; the weights it states may be others than the model's
   * @param gpt2 the model
   * @param tokens rows of ids, one at least with two tokens
   * @throws SaeMismatchException if the model lacks the activation or has it in another width, or
   *     the SAE is a transcoder
   * @throws IllegalArgumentException if all activations are equal
   */
  public static double unexplained(Sae sae, Gpt2 gpt2, TokenBatch tokens) {
    SaeConfig config = sae.config();
    config.withWeights(gpt2.weightsState()).requireFits(gpt2);
    if (!config.outputPoint().equals(config.point())) {
      throw new SaeMismatchException(
          config.name() + " is a transcoder, which does not reconstruct what it reads");
    }
    HookPoint point = config.point();
    List<float[]> activations = new ArrayList<>();
    double squares = 0;
    for (int row = 0; row < tokens.rows(); row++) {
      Tensor x = gpt2.capture(tokens.slice(row, row + 1), point.capture()).get(point);
      float[] values = x.toArray();
      float[] made = sae.reconstruct(x).toArray();
      activations.add(values);
      for (int i = config.dIn(); i < values.length; i++) {
        squares += Math.pow((double) made[i] - values[i], 2);
      }
    }
    double variance = variance(activations, config.dIn());
    if (!(variance > 0)) {
      throw new IllegalArgumentException(
          "all activations at " + point + " are equal; use longer rows of tokens");
    }
    return squares / variance;
  }

  private static double variance(List<float[]> rows, int width) {
    double[] mean = new double[width];
    long count = 0;
    for (float[] row : rows) {
      for (int i = width; i < row.length; i++) {
        mean[i % width] += row[i];
      }
      count += row.length / width - 1;
    }
    double sum = 0;
    for (float[] row : rows) {
      for (int i = width; i < row.length; i++) {
        sum += Math.pow(row[i] - mean[i % width] / count, 2);
      }
    }
    return sum;
  }
}
