package dev.resid.model;

import dev.resid.hook.HookPoint;
import dev.resid.reference.Activations;
import dev.resid.reference.Float64Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Hands the library's weights to the float64 reference, and compares with it. */
public final class Reference {
  private Reference() {}

  /** Returns the reference with the same weights; float32 values are exact in float64. */
  public static Float64Gpt2 of(Gpt2Weights weights) {
    Gpt2Config config = weights.config();
    Map<String, double[]> values = new HashMap<>();
    for (Weight weight : Weight.all(config)) {
      boolean tied =
          weight.name() == WeightNames.W_U && config.embeddings() == Gpt2Config.Embeddings.TIED;
      if (!tied) {
        values.put(weight.lensName(), doubles(weights.get(weight)));
      }
    }
    List<Double> factors = new ArrayList<>();
    for (int layer = 0; layer < config.nLayers(); layer++) {
      double width = 1 / Math.sqrt((double) config.dModel() / config.nHeads());
      double depth = 1.0 / (layer + 1);
      factors.add(
          switch (config.scores()) {
            case NONE -> 1.0;
            case BY_WIDTH -> width;
            case BY_LAYER -> depth;
            case BY_WIDTH_AND_LAYER -> width * depth;
          });
    }
    return new Float64Gpt2(
        new Float64Gpt2.Sizes(
            config.nHeads(),
            config.dModel(),
            config.dMlp(),
            config.dVocab(),
            config.layerNormEpsilon(),
            Activations.named(config.activation().name().toLowerCase(java.util.Locale.ROOT)),
            factors),
        values);
  }

  /** Returns the values in float64. */
  public static double[] doubles(Tensor tensor) {
    float[] values = tensor.toArray();
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  /**
   * Returns what a batch's activation has for one row: positions and keys that the row has, the
   * batch axis of size 1 kept.
   *
   * @param activation an activation of a batch of rows that may be shorter
   * @param row which
   * @param length number of positions of the row
   */
  public static Tensor rowOf(Tensor activation, int row, int length) {
    Tensor one = activation.slice(Axis.BATCH, row, row + 1).slice(Axis.POS, 0, length);
    return one.shape().has(Axis.KEY_POS) ? one.slice(Axis.KEY_POS, 0, length) : one;
  }

  /** Returns the hook points in the order of the forward pass. */
  static List<HookPoint> points(Gpt2Config config) {
    return HookPoint.all(config.nLayers());
  }

  /** Returns the largest magnitude of finite values. */
  public static double largest(double[] values) {
    double max = 0;
    for (double value : values) {
      max = Double.isFinite(value) ? Math.max(max, Math.abs(value)) : max;
    }
    return max;
  }

  /** Returns an axis of numbers without a name. */
  static Shape numbers(int count) {
    return Shape.of(Axis.ROW, count);
  }
}
