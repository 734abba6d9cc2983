package dev.resid.analysis;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * The last residual stream of a run as the sum of what was written into it, and the scale that the
 * final layer norm divides by.
 *
 * @param tokens rows of the run
 * @param terms what was written, in the order of the forward pass; their sum is the stream up to
 *     rounding
 * @param last the last {@code resid_post}, [batch, pos, d_model]
 * @param finalScale {@code ln_final.hook_scale}, [batch, pos, one]
 * @source Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", the residual
 *     stream as a sum of the outputs of all layers
 */
public record ResidualStack(TokenBatch tokens, List<Term> terms, Tensor last, Tensor finalScale) {
  /** Copies the list. */
  public ResidualStack {
    terms = List.copyOf(terms);
  }

  /** How fine the stream is taken apart. */
  public enum Split {
    /** Both embeddings, and attention and MLP of every block. */
    COMPONENTS,
    /** Both embeddings, every head, every MLP, and the output biases of attention in one term. */
    HEADS
  }

  /**
   * A part of the stream.
   *
   * @param name {@code embed}, {@code pos_embed}, {@code 3_attn_out}, {@code 3_mlp_out}, {@code
   *     L3H5} or {@code bias}
   * @param values [batch, pos, d_model]
   */
  public record Term(String name, Tensor values) {}

  /**
   * Returns the stream of a run, taken apart.
   *
   * @param gpt2 the model
   * @param tokens rows of ids
   * @param split how fine
   * @throws IllegalArgumentException as {@link Gpt2#forward}
   */
  public static ResidualStack of(Gpt2 gpt2, TokenBatch tokens, Split split) {
    int nLayers = gpt2.config().nLayers();
    List<HookPoint> points = new ArrayList<>();
    points.add(HookPoint.embed());
    points.add(HookPoint.posEmbed());
    for (int layer = 0; layer < nLayers; layer++) {
      points.add(HookPoint.at(split == Split.HEADS ? Site.RESULT : Site.ATTN_OUT, layer));
      points.add(HookPoint.mlpOut(layer));
    }
    HookPoint last = HookPoint.residPost(nLayers - 1);
    HookPoint scale = HookPoint.at(Site.LN_FINAL_SCALE);
    List<HookPoint> all = new ArrayList<>(points);
    all.add(last);
    all.add(scale);
    ActivationCache cache = gpt2.capture(tokens, Capture.each(all));
    List<Term> terms = new ArrayList<>();
    for (HookPoint point : points) {
      Tensor values = cache.get(point);
      if (point.site() == Site.RESULT) {
        for (int head = 0; head < gpt2.config().nHeads(); head++) {
          terms.add(new Term("L" + point.layer() + "H" + head, values.at(Axis.HEAD, head)));
        }
      } else {
        terms.add(new Term(name(point), values));
      }
    }
    if (split == Split.HEADS) {
      terms.add(new Term("bias", attentionBiases(gpt2, cache.get(last))));
    }
    return new ResidualStack(tokens, terms, cache.get(last), cache.get(scale));
  }

  private static String name(HookPoint point) {
    return switch (point.site()) {
      case EMBED -> "embed";
      case POS_EMBED -> "pos_embed";
      case ATTN_OUT -> point.layer() + "_attn_out";
      default -> point.layer() + "_mlp_out";
    };
  }

  /** Returns Σ_L b_O at every position, in the shape of the stream. */
  private static Tensor attentionBiases(Gpt2 gpt2, Tensor stream) {
    int width = gpt2.config().dModel();
    double[] sum = new double[width];
    Gpt2Weights weights = gpt2.weights();
    for (int layer = 0; layer < gpt2.config().nLayers(); layer++) {
      float[] b_O = weights.get(Weight.of(WeightNames.b_O, layer)).toArray();
      for (int c = 0; c < width; c++) {
        sum[c] += b_O[c];
      }
    }
    float[] values = new float[Math.toIntExact(stream.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) sum[i % width];
    }
    return Tensor.wrap(stream.shape(), values);
  }
}
