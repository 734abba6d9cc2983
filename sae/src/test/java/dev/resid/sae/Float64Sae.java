package dev.resid.sae;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * An SAE in float64, row by row and feature by feature from the formulas: shares no code with the
 * library's arithmetic.
 */
final class Float64Sae {
  private final SaeConfig config;
  private final SaeWeights weights;

  Float64Sae(SaeConfig config, SaeWeights weights) {
    this.config = config;
    this.weights = weights;
  }

  private double at(SaeWeight weight, int... index) {
    return weights.get(weight).get(index);
  }

  private boolean has(SaeWeight weight) {
    return weights.find(weight).isPresent();
  }

  /** Returns mean and the factors on the way in and out of a row. */
  private double[] scales(double[] x) {
    double mean = Arrays.stream(x).average().orElseThrow();
    double squares = Arrays.stream(x).map(v -> v * v).sum();
    double spread = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).sum() / (x.length - 1.0);
    return switch (config.normalization()) {
      case NONE -> new double[] {0, 1, 1};
      case EXPECTED_AVERAGE_NORM -> new double[] {0, config.inputScale(), 1 / config.inputScale()};
      case CONSTANT_NORM ->
          new double[] {0, Math.sqrt(x.length / squares), Math.sqrt(squares / x.length)};
      case LAYER_NORM -> new double[] {mean, 1 / (Math.sqrt(spread) + 1e-5), Math.sqrt(spread)};
    };
  }

  private double norm(int feature) {
    return Math.sqrt(
        IntStream.range(0, config.dOut())
            .mapToDouble(c -> Math.pow(at(SaeWeight.W_dec, feature, c), 2))
            .sum());
  }

  /** Returns what the architecture's formula calls pre, [d_sae]. */
  double[] pre(double[] x) {
    double[] scale = scales(x);
    double[] pre = new double[config.dSae()];
    for (int f = 0; f < pre.length; f++) {
      pre[f] = has(SaeWeight.b_enc) ? at(SaeWeight.b_enc, f) : 0;
      for (int c = 0; c < x.length; c++) {
        double in = (x[c] - scale[0]) * scale[1];
        if (config.decoderBias() == DecoderBias.SUBTRACTED_AND_ADDED) {
          in -= at(SaeWeight.b_dec, c);
        }
        pre[f] += in * at(SaeWeight.W_enc, c, f);
      }
    }
    return pre;
  }

  /** Returns how far each pre-activation is from where it would begin to count, [d_sae]. */
  double[] margins(double[] x) {
    double[] pre = pre(x);
    return switch (config.architecture()) {
      case RELU, TOP_K -> pre;
      case JUMP_RELU ->
          IntStream.range(0, pre.length)
              .mapToDouble(f -> pre[f] - at(SaeWeight.threshold, f))
              .toArray();
      case GATED ->
          IntStream.range(0, pre.length)
              .mapToDouble(f -> pre[f] + at(SaeWeight.b_gate, f))
              .toArray();
    };
  }

  /** Returns the features, dense, [d_sae]. */
  double[] features(double[] x) {
    double[] pre = pre(x);
    double[] margins = margins(x);
    double[] f = new double[pre.length];
    switch (config.architecture()) {
      case RELU -> Arrays.setAll(f, i -> Math.max(pre[i], 0));
      case JUMP_RELU -> Arrays.setAll(f, i -> margins[i] > 0 ? Math.max(pre[i], 0) : 0);
      case GATED ->
          Arrays.setAll(
              f,
              i ->
                  margins[i] > 0
                      ? Math.max(
                          pre[i] * Math.exp(at(SaeWeight.r_mag, i)) + at(SaeWeight.b_mag, i), 0)
                      : 0);
      case TOP_K -> {
        double[] weighed = pre.clone();
        if (config.topKScale() == SaeConfig.TopKScale.DECODER_NORM) {
          Arrays.setAll(weighed, i -> pre[i] * norm(i));
        }
        IntStream.range(0, f.length)
            .boxed()
            .sorted((i, j) -> Double.compare(weighed[j], weighed[i]))
            .limit(config.k().orElseThrow())
            .forEach(i -> f[i] = Math.max(weighed[i], 0));
      }
    }
    return f;
  }

  /** Returns the reconstruction from features of an input, [d_out]. */
  double[] decode(double[] features, double[] x) {
    double[] scale = scales(x);
    double[] y = new double[config.dOut()];
    for (int c = 0; c < y.length; c++) {
      double sum = at(SaeWeight.b_dec, c);
      for (int f = 0; f < features.length; f++) {
        double value = features[f];
        if (has(SaeWeight.scaling_factor)) {
          value *= at(SaeWeight.scaling_factor, f);
        }
        if (config.topKScale() == SaeConfig.TopKScale.DECODER_NORM && value != 0) {
          value /= norm(f);
        }
        sum += value * at(SaeWeight.W_dec, f, c);
      }
      y[c] = sum * scale[2] + scale[0];
      for (int i = 0; has(SaeWeight.W_skip) && i < x.length; i++) {
        y[c] += at(SaeWeight.W_skip, c, i) * x[i];
      }
    }
    return y;
  }
}
