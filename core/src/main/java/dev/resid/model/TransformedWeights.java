package dev.resid.model;

import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;

/**
 * The four rewritings, each a function from weights to weights that computes a weight when it is
 * read. Sums run in float64 and are rounded once.
 */
final class TransformedWeights {
  private TransformedWeights() {}

  static Gpt2Weights apply(WeightTransform transform, Gpt2Weights from) {
    WeightsState state = from.state().after(transform);
    Gpt2Config config =
        transform == WeightTransform.FOLD_VALUE_BIASES ? from.config() : from.config().untied();
    WeightSource source =
        switch (transform) {
          case FOLD_LAYER_NORM -> w -> foldLayerNorm(from, w);
          case CENTER_WRITING_WEIGHTS -> w -> centerWriting(from, w);
          case CENTER_UNEMBED -> w -> centerUnembed(from, w);
          case FOLD_VALUE_BIASES -> w -> foldValueBiases(from, w);
        };
    return new Gpt2Weights(config, state, source);
  }

  private static Tensor foldLayerNorm(Gpt2Weights from, Weight weight) {
    int layer = weight.layer();
    return switch (weight.name()) {
      case ln1_gamma, ln2_gamma, lnFinal_gamma -> from.get(weight).map(x -> 1f);
      case ln1_beta, ln2_beta, lnFinal_beta -> from.get(weight).map(x -> 0f);
      case W_Q, W_K, W_V -> foldGain(from.get(weight), get(from, WeightNames.ln1_gamma, layer));
      case W_in -> foldGain(from.get(weight), get(from, WeightNames.ln2_gamma, layer));
      case b_Q -> foldOffset(from, weight, WeightNames.W_Q, WeightNames.ln1_beta);
      case b_K -> foldOffset(from, weight, WeightNames.W_K, WeightNames.ln1_beta);
      case b_V -> foldOffset(from, weight, WeightNames.W_V, WeightNames.ln1_beta);
      case b_in -> foldOffset(from, weight, WeightNames.W_in, WeightNames.ln2_beta);
      case W_U -> foldUnembed(from.get(weight), get(from, WeightNames.lnFinal_gamma, -1));
      case b_U -> foldUnembedBias(from, weight);
      default -> from.get(weight);
    };
  }

  private static Tensor centerWriting(Gpt2Weights from, Weight weight) {
    return switch (weight.name()) {
      case W_E, W_pos, W_O, b_O, W_out, b_out -> centerRows(from.get(weight));
      default -> from.get(weight);
    };
  }

  private static Tensor centerUnembed(Gpt2Weights from, Weight weight) {
    return switch (weight.name()) {
      case W_U -> centerColumns(from.get(weight));
      case b_U -> centerRows(from.get(weight));
      default -> from.get(weight);
    };
  }

  private static Tensor foldValueBiases(Gpt2Weights from, Weight weight) {
    return switch (weight.name()) {
      case b_V -> from.get(weight).map(x -> 0f);
      case b_O -> {
        float[] values = get(from, WeightNames.b_V, weight.layer()).toArray();
        yield addProduct(from.get(weight), values, get(from, WeightNames.W_O, weight.layer()));
      }
      default -> from.get(weight);
    };
  }

  /** w'[i,j] = γ[i]·w[i,j] − mean_i(γ[i]·w[i,j]). */
  private static Tensor foldGain(Tensor w, Tensor gamma) {
    float[] gain = gamma.toArray();
    float[] values = w.toArray();
    int columns = w.shape().last();
    double[] scaled = new double[values.length];
    double[] mean = new double[columns];
    for (int i = 0; i < gain.length; i++) {
      for (int j = 0; j < columns; j++) {
        double product = (double) gain[i] * values[i * columns + j];
        scaled[i * columns + j] = product;
        mean[j] += product / gain.length;
      }
    }
    for (int k = 0; k < values.length; k++) {
      values[k] = (float) (scaled[k] - mean[k % columns]);
    }
    return Tensor.wrap(w.shape(), values);
  }

  private static Tensor foldOffset(
      Gpt2Weights from, Weight bias, WeightNames matrix, WeightNames offset) {
    float[] beta = get(from, offset, bias.layer()).toArray();
    return addProduct(from.get(bias), beta, get(from, matrix, bias.layer()));
  }

  /** b'[j] = b[j] + Σ_i x[i]·w[i,j]. */
  private static Tensor addProduct(Tensor bias, float[] x, Tensor w) {
    float[] values = w.toArray();
    float[] out = bias.toArray();
    double[] sums = new double[out.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < out.length; j++) {
        sums[j] += (double) x[i] * values[i * out.length + j];
      }
    }
    for (int j = 0; j < out.length; j++) {
      out[j] = (float) (out[j] + sums[j]);
    }
    return Tensor.wrap(bias.shape(), out);
  }

  /** u'[v,i] = γ[i]·u[v,i] − mean_i(γ[i]·u[v,i]); the file keeps the unembedding transposed. */
  private static Tensor foldUnembed(Tensor unembed, Tensor gamma) {
    float[] gain = gamma.toArray();
    float[] values = unembed.toArray();
    int width = gain.length;
    for (int v = 0; v < values.length / width; v++) {
      double mean = 0;
      for (int i = 0; i < width; i++) {
        mean += (double) gain[i] * values[v * width + i] / width;
      }
      for (int i = 0; i < width; i++) {
        values[v * width + i] = (float) ((double) gain[i] * values[v * width + i] - mean);
      }
    }
    return Tensor.wrap(unembed.shape(), values);
  }

  private static Tensor foldUnembedBias(Gpt2Weights from, Weight weight) {
    float[] beta = get(from, WeightNames.lnFinal_beta, -1).toArray();
    float[] unembed = get(from, WeightNames.W_U, -1).toArray();
    float[] out = from.get(weight).toArray();
    for (int v = 0; v < out.length; v++) {
      double sum = out[v];
      for (int i = 0; i < beta.length; i++) {
        sum += (double) beta[i] * unembed[v * beta.length + i];
      }
      out[v] = (float) sum;
    }
    return Tensor.wrap(weight.name().shape(from.config()), out);
  }

  private static Tensor centerRows(Tensor tensor) {
    float[] values = tensor.toArray();
    int width = tensor.shape().last();
    for (int r = 0; r < values.length / width; r++) {
      double mean = 0;
      for (int i = 0; i < width; i++) {
        mean += (double) values[r * width + i] / width;
      }
      for (int i = 0; i < width; i++) {
        values[r * width + i] = (float) (values[r * width + i] - mean);
      }
    }
    return Tensor.wrap(tensor.shape(), values);
  }

  private static Tensor centerColumns(Tensor tensor) {
    float[] values = tensor.toArray();
    Shape shape = tensor.shape();
    int width = shape.last();
    double rows = (double) values.length / width;
    double[] mean = new double[width];
    for (int k = 0; k < values.length; k++) {
      mean[k % width] += values[k] / rows;
    }
    for (int k = 0; k < values.length; k++) {
      values[k] = (float) (values[k] - mean[k % width]);
    }
    return Tensor.wrap(shape, values);
  }

  private static Tensor get(Gpt2Weights from, WeightNames name, int layer) {
    return from.get(new Weight(name, layer));
  }
}
