package dev.resid.sae.dictionary;

import dev.resid.model.Gpt2;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Tokens to leave out of a logit lens because the model never learnt them: in training text they do
 * not occur, so their unembedding is where it started or was pushed to, not where a prediction
 * needs it. They are told by the norm of their column of W_U, which stands apart from the others'.
 *
 * @param norms ‖W_U[:, v]‖ of every token
 * @param low tokens with a smaller norm are masked
 * @param high tokens with a larger norm are masked
 */
public record TokenMask(double[] norms, double low, double high) {
  /** Deviations from the median beyond which a norm stands apart. */
  private static final double DEVIATIONS = 6;

  /** Median absolute deviations in a standard deviation of normally distributed numbers. */
  private static final double NORMAL = 1.4826;

  /** Checks the limits. */
  public TokenMask {
    if (!(low <= high)) {
      throw new IllegalArgumentException("norms from " + low + " to " + high + " are none");
    }
    norms = norms.clone();
  }

  /**
   * Returns the mask of norms that stand apart: further from the median than 6 standard deviations,
   * these estimated as 1.4826 times the median distance from the median, so that the odd tokens do
   * not widen the limits.
   *
   * @param gpt2 whose unembedding is read
   */
  public static TokenMask outliers(Gpt2 gpt2) {
    double[] norms = norms(gpt2);
    double median = median(norms);
    double deviation =
        NORMAL * median(Arrays.stream(norms).map(n -> Math.abs(n - median)).toArray());
    return new TokenMask(norms, median - DEVIATIONS * deviation, median + DEVIATIONS * deviation);
  }

  /**
   * Returns the mask of norms outside given limits, for example above 20 for Pythia.
   *
   * @param gpt2 whose unembedding is read
   * @param low smallest norm of a token that is kept
   * @param high largest norm of a token that is kept
   */
  public static TokenMask outside(Gpt2 gpt2, double low, double high) {
    return new TokenMask(norms(gpt2), low, high);
  }

  /** Returns whether a token is left out. */
  public boolean masks(int token) {
    return norms[token] < low || norms[token] > high;
  }

  /** Returns the tokens that are left out. */
  public BitSet masked() {
    BitSet masked = new BitSet(norms.length);
    for (int v = 0; v < norms.length; v++) {
      masked.set(v, masks(v));
    }
    return masked;
  }

  /** Returns the norms, a copy: look at their histogram before choosing limits. */
  @Override
  public double[] norms() {
    return norms.clone();
  }

  private static double[] norms(Gpt2 gpt2) {
    Tensor unembedding = gpt2.weights().get(Weight.of(WeightNames.W_U));
    int width = unembedding.shape().last();
    float[] row = new float[width];
    double[] norms = new double[gpt2.config().dVocab()];
    for (int v = 0; v < norms.length; v++) {
      unembedding.storage().read((long) v * width, row, 0, width);
      double square = 0;
      for (float w : row) {
        square += (double) w * w;
      }
      norms[v] = Math.sqrt(square);
    }
    return norms;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  }
}
