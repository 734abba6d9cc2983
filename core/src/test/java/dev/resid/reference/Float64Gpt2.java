package dev.resid.reference;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;

/**
 * GPT-2 in float64, one row of tokens at a time (Radford et al. 2019; the architecture of Vaswani
 * et al. 2017 with the layer norm before each half of a block). Arrays are row-major. Activations
 * carry the names of TransformerLens; their shapes are those of one row, without a batch axis.
 *
 * <p>Weights by name, {@code L} a block: {@code embed.W_E} [vocab, width], {@code pos_embed.W_pos}
 * [context, width], {@code blocks.L.ln1.w/b}, {@code blocks.L.attn.W_Q/W_K/W_V} [width, width] with
 * columns head by head, {@code blocks.L.attn.b_Q/b_K/b_V}, {@code blocks.L.attn.W_O} [width, width]
 * with rows head by head, {@code blocks.L.attn.b_O}, {@code blocks.L.ln2.w/b}, {@code
 * blocks.L.mlp.W_in} [width, hidden], {@code b_in}, {@code W_out} [hidden, width], {@code b_out},
 * {@code ln_final.w/b}, {@code unembed.W_U} [vocab, width], {@code unembed.b_U}. A tied model has
 * no {@code unembed.W_U}: its embedding stands in.
 *
 * @param sizes the architecture
 * @param weights values by name; not copied, so that a caller may vary one in place
 */
public record Float64Gpt2(Sizes sizes, Map<String, double[]> weights) {
  /**
   * The architecture.
   *
   * @param heads attention heads
   * @param width of the residual stream
   * @param hidden width of the MLP
   * @param vocabulary tokens
   * @param epsilon added to a variance
   * @param activation function of the MLP
   * @param scoreFactors factor on query-key products, by block
   */
  public record Sizes(
      int heads,
      int width,
      int hidden,
      int vocabulary,
      double epsilon,
      DoubleUnaryOperator activation,
      List<Double> scoreFactors) {}

  /** Returns every activation of a row and, last, {@code logits}, in the order of the pass. */
  public Map<String, double[]> run(int... ids) {
    return run(Map.of(), ids);
  }

  /**
   * Returns every activation of a row and, last, {@code logits}.
   *
   * @param changes what an activation becomes before the pass goes on, by name
   * @param ids tokens
   */
  public Map<String, double[]> run(Map<String, UnaryOperator<double[]>> changes, int... ids) {
    return new Pass(this, changes, ids).run();
  }

  /** Returns −ln softmax(logits)[next token] of every position but the last. */
  public static double[] crossEntropies(double[] logits, int... ids) {
    int vocabulary = logits.length / ids.length;
    double[] result = new double[ids.length - 1];
    for (int t = 0; t + 1 < ids.length; t++) {
      result[t] = Distributions.crossEntropy(part(logits, t, vocabulary), ids[t + 1]);
    }
    return result;
  }

  /** Returns the values of one position. */
  public static double[] part(double[] values, int position, int width) {
    return java.util.Arrays.copyOfRange(values, position * width, (position + 1) * width);
  }

  private double[] weight(String name) {
    double[] found = weights.get(name);
    if (found == null && name.equals("unembed.W_U")) {
      return weight("embed.W_E");
    }
    if (found == null) {
      throw new IllegalArgumentException("no weight " + name);
    }
    return found;
  }

  /** One row on its way through the model. */
  private static final class Pass {
    private final Float64Gpt2 model;
    private final Sizes sizes;
    private final Map<String, UnaryOperator<double[]>> changes;
    private final int[] ids;
    private final int length;
    private final Map<String, double[]> seen = new LinkedHashMap<>();

    Pass(Float64Gpt2 model, Map<String, UnaryOperator<double[]>> changes, int... ids) {
      this.model = model;
      this.sizes = model.sizes;
      this.changes = changes;
      this.ids = ids;
      this.length = ids.length;
    }

    Map<String, double[]> run() {
      double[] tokens = new double[length * sizes.width];
      double[] places = new double[length * sizes.width];
      for (int t = 0; t < length; t++) {
        for (int c = 0; c < sizes.width; c++) {
          tokens[t * sizes.width + c] = model.weight("embed.W_E")[ids[t] * sizes.width + c];
          places[t * sizes.width + c] = model.weight("pos_embed.W_pos")[t * sizes.width + c];
        }
      }
      double[] x = sum(at("hook_embed", tokens), at("hook_pos_embed", places));
      for (int layer = 0; layer < sizes.scoreFactors.size(); layer++) {
        String block = "blocks." + layer + ".";
        x = at(block + "hook_resid_pre", x);
        double[] attention = at(block + "hook_attn_out", attention(block, layer, x));
        x = at(block + "hook_resid_mid", sum(x, attention));
        double[] mlp = at(block + "hook_mlp_out", mlp(block, x));
        x = at(block + "hook_resid_post", sum(x, mlp));
      }
      double[] normalized = layerNorm("ln_final.", x);
      double[] logits = new double[length * sizes.vocabulary];
      double[] unembedding = model.weight("unembed.W_U");
      for (int t = 0; t < length; t++) {
        for (int v = 0; v < sizes.vocabulary; v++) {
          double logit = model.weight("unembed.b_U")[v];
          for (int c = 0; c < sizes.width; c++) {
            logit += normalized[t * sizes.width + c] * unembedding[v * sizes.width + c];
          }
          logits[t * sizes.vocabulary + v] = logit;
        }
      }
      at("logits", logits);
      return seen;
    }

    private double[] at(String name, double[] value) {
      UnaryOperator<double[]> change = changes.get(name);
      double[] result = change == null ? value : change.apply(value.clone());
      seen.put(name, result);
      return result;
    }

    /** (x − mean)/√(variance + ε)·gain + offset. */
    private double[] layerNorm(String name, double[] x) {
      int width = sizes.width;
      double[] mean = new double[length];
      double[] scale = new double[length];
      for (int t = 0; t < length; t++) {
        for (int c = 0; c < width; c++) {
          mean[t] += x[t * width + c] / width;
        }
        double variance = 0;
        for (int c = 0; c < width; c++) {
          variance += Math.pow(x[t * width + c] - mean[t], 2) / width;
        }
        scale[t] = Math.sqrt(variance + sizes.epsilon);
      }
      scale = at(name + "hook_scale", scale);
      double[] gain = model.weight(name + "w");
      double[] offset = model.weight(name + "b");
      double[] result = new double[x.length];
      for (int t = 0; t < length; t++) {
        for (int c = 0; c < width; c++) {
          int i = t * width + c;
          result[i] = (x[i] - mean[t]) / scale[t] * gain[c] + offset[c];
        }
      }
      return at(name + "hook_normalized", result);
    }

    private double[] attention(String block, int layer, double[] x) {
      String attn = block + "attn.";
      double[] normalized = layerNorm(block + "ln1.", x);
      double[] q = at(attn + "hook_q", linear(normalized, attn + "W_Q", attn + "b_Q"));
      double[] k = at(attn + "hook_k", linear(normalized, attn + "W_K", attn + "b_K"));
      double[] v = at(attn + "hook_v", linear(normalized, attn + "W_V", attn + "b_V"));
      int heads = sizes.heads;
      int size = sizes.width / heads;
      double[] scores = new double[heads * length * length];
      for (int h = 0; h < heads; h++) {
        for (int t = 0; t < length; t++) {
          for (int s = 0; s < length; s++) {
            double product = 0;
            for (int d = 0; d < size; d++) {
              product += q[(t * heads + h) * size + d] * k[(s * heads + h) * size + d];
            }
            scores[(h * length + t) * length + s] =
                s > t ? Double.NEGATIVE_INFINITY : product * sizes.scoreFactors.get(layer);
          }
        }
      }
      double[] pattern =
          at(attn + "hook_pattern", softmaxOfRows(at(attn + "hook_attn_scores", scores)));
      double[] z = new double[x.length];
      for (int h = 0; h < heads; h++) {
        for (int t = 0; t < length; t++) {
          for (int s = 0; s < length; s++) {
            double weight = pattern[(h * length + t) * length + s];
            for (int d = 0; d < size; d++) {
              z[(t * heads + h) * size + d] += weight * v[(s * heads + h) * size + d];
            }
          }
        }
      }
      return output(attn, at(attn + "hook_z", z));
    }

    /** What every head writes, then their sum and the bias. */
    private double[] output(String attn, double[] z) {
      int heads = sizes.heads;
      int size = sizes.width / heads;
      int width = sizes.width;
      double[] matrix = model.weight(attn + "W_O");
      double[] result = new double[length * heads * width];
      for (int th = 0; th < length * heads; th++) {
        int head = th % heads;
        for (int c = 0; c < width; c++) {
          for (int d = 0; d < size; d++) {
            result[th * width + c] += z[th * size + d] * matrix[(head * size + d) * width + c];
          }
        }
      }
      result = at(attn + "hook_result", result);
      double[] out = new double[length * width];
      for (int t = 0; t < length; t++) {
        for (int c = 0; c < width; c++) {
          out[t * width + c] = model.weight(attn + "b_O")[c];
          for (int h = 0; h < heads; h++) {
            out[t * width + c] += result[(t * heads + h) * width + c];
          }
        }
      }
      return out;
    }

    private double[] mlp(String block, double[] x) {
      String mlp = block + "mlp.";
      double[] normalized = layerNorm(block + "ln2.", x);
      double[] pre = at(mlp + "hook_pre", linear(normalized, mlp + "W_in", mlp + "b_in"));
      double[] post = new double[pre.length];
      for (int i = 0; i < pre.length; i++) {
        post[i] = sizes.activation.applyAsDouble(pre[i]);
      }
      return linear(at(mlp + "hook_post", post), mlp + "W_out", mlp + "b_out");
    }

    private double[] linear(double[] x, String matrixName, String biasName) {
      double[] matrix = model.weight(matrixName);
      double[] bias = model.weight(biasName);
      int outs = bias.length;
      int ins = matrix.length / outs;
      double[] result = new double[length * outs];
      for (int t = 0; t < length; t++) {
        for (int j = 0; j < outs; j++) {
          double sum = bias[j];
          for (int i = 0; i < ins; i++) {
            sum += x[t * ins + i] * matrix[i * outs + j];
          }
          result[t * outs + j] = sum;
        }
      }
      return result;
    }

    private double[] softmaxOfRows(double[] scores) {
      double[] result = new double[scores.length];
      for (int row = 0; row < scores.length / length; row++) {
        double[] logs = Distributions.logProbabilities(part(scores, row, length));
        for (int s = 0; s < length; s++) {
          result[row * length + s] = Math.exp(logs[s]);
        }
      }
      return result;
    }

    private static double[] sum(double[] a, double[] b) {
      double[] result = new double[a.length];
      for (int i = 0; i < a.length; i++) {
        result[i] = a[i] + b[i];
      }
      return result;
    }
  }
}
