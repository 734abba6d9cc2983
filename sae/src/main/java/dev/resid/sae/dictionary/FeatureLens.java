package dev.resid.sae.dictionary;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The logit lens of a feature: what its direction adds to the logits when it goes straight to the
 * unembedding, d_i·W_U, without the final layer norm. A direction of an MLP's hidden layer goes
 * through W_out first, one of attention's z through W_O.
 *
 * @source nostalgebraist 2020, "Interpreting GPT: the logit lens"; experiment document, section 5,
 *     004-g
 */
public final class FeatureLens {
  private final Gpt2Weights weights;
  private final int dModel;
  private final float[] unembedding;
  private final BitSet masked;

  /**
   * Prepares the lens of a model.
   *
   * @param gpt2 whose unembedding is read; raw logits depend on whether it was centred
   * @param mask tokens that never appear in the results
   */
  public FeatureLens(Gpt2 gpt2, TokenMask mask) {
    this.weights = gpt2.weights();
    this.dModel = gpt2.config().dModel();
    this.unembedding = weights.get(Weight.of(WeightNames.W_U)).toArray();
    this.masked = mask.masked();
  }

  /**
   * A token and what a feature adds to its logit.
   *
   * @param token id
   * @param logit d_i·W_U[:, token], for an activation of 1
   */
  public record TokenLogit(int token, double logit) {}

  /**
   * The two ends of a feature's logits.
   *
   * @param promoted largest logits, the largest first
   * @param suppressed smallest logits, the smallest first
   */
  public record View(List<TokenLogit> promoted, List<TokenLogit> suppressed) {
    /** Copies the lists. */
    public View {
      promoted = List.copyOf(promoted);
      suppressed = List.copyOf(suppressed);
    }
  }

  /**
   * Returns the tokens that a feature promotes and suppresses most, the lowest id first among
   * equals.
   *
   * @param sae has the feature
   * @param feature from 0 to d_sae − 1
   * @param k at most so many at each end
   * @throws IllegalArgumentException if what the SAE writes does not go to the unembedding, or is
   *     of another width than the model's
   * @throws IndexOutOfBoundsException if there is no such feature
   */
  public View view(Sae sae, int feature, int k) {
    sae.config().requireFeature(feature);
    Tensor decoder = sae.weights().get(SaeWeight.W_dec);
    float[] direction = decoder.slice(Axis.D_SAE, feature, feature + 1).toArray();
    double[] logits = logits(sae.config().outputPoint(), direction);
    return new View(ends(logits, 1, k), ends(logits, -1, k));
  }

  /**
   * Returns the logits of a direction, [d_vocab], in float64, those of masked tokens too.
   *
   * @param point where the direction lives
   * @param direction [width of the activation there]
   * @throws IllegalArgumentException as {@link #view}
   */
  public double[] logits(HookPoint point, float[] direction) {
    double[] d = toStream(point, direction);
    double[] logits = new double[unembedding.length / dModel];
    for (int v = 0; v < logits.length; v++) {
      for (int c = 0; c < dModel; c++) {
        logits[v] += d[c] * unembedding[v * dModel + c];
      }
    }
    return logits;
  }

  /**
   * Returns whether what is at a point goes to the unembedding, so that it has a logit lens.
   *
   * @param point where a direction lives
   */
  public static boolean appliesTo(HookPoint point) {
    return switch (point.site()) {
      case EMBED,
          POS_EMBED,
          RESID_PRE,
          RESID_MID,
          RESID_POST,
          ATTN_OUT,
          MLP_OUT,
          RESULT,
          MLP_POST,
          Z ->
          true;
      default -> false;
    };
  }

  /** Returns the direction in the residual stream, [d_model]. */
  private double[] toStream(HookPoint point, float[] direction) {
    return switch (point.site()) {
      case EMBED, POS_EMBED, RESID_PRE, RESID_MID, RESID_POST, ATTN_OUT, MLP_OUT, RESULT -> {
        requireWidth(point, direction.length, dModel);
        double[] same = new double[dModel];
        for (int c = 0; c < dModel; c++) {
          same[c] = direction[c];
        }
        yield same;
      }
      case MLP_POST -> through(point, direction, WeightNames.W_out);
      case Z -> through(point, direction, WeightNames.W_O);
      default ->
          throw new IllegalArgumentException(
              point + " does not add to the residual stream, so it has no logit lens");
    };
  }

  private double[] through(HookPoint point, float[] direction, WeightNames name) {
    Tensor matrix = weights.get(Weight.of(name, point.layer()));
    Shape shape = matrix.shape();
    requireWidth(point, direction.length, Math.toIntExact(shape.rows()));
    float[] values = matrix.toArray();
    double[] d = new double[dModel];
    for (int i = 0; i < direction.length; i++) {
      for (int c = 0; c < dModel; c++) {
        d[c] += (double) direction[i] * values[i * dModel + c];
      }
    }
    return d;
  }

  private static void requireWidth(HookPoint point, int width, int expected) {
    if (width != expected) {
      throw new IllegalArgumentException(
          "a direction at "
              + point
              + " has width "
              + expected
              + " in this model, got "
              + width
              + "; the SAE belongs to another model");
    }
  }

  private List<TokenLogit> ends(double[] logits, int sign, int k) {
    List<TokenLogit> ends = new ArrayList<>();
    IntStream.range(0, logits.length)
        .filter(v -> !masked.get(v))
        .boxed()
        .sorted(Comparator.comparingDouble((Integer v) -> -sign * logits[v]).thenComparing(v -> v))
        .limit(k)
        .forEach(v -> ends.add(new TokenLogit(v, logits[v])));
    return ends;
  }
}
