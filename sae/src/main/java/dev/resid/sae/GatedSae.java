package dev.resid.sae;

import dev.resid.tensor.Backend;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.EnumSet;

/** f = relu(pre·exp(r_mag) + b_mag) where pre + b_gate exceeds 0 (Rajamanoharan et al. 2024). */
public final class GatedSae implements Sae {
  private final SaeParts parts;
  private final Tensor threshold;
  private final double[] scale;
  private final float[] magnitude;

  GatedSae(SaeConfig config, SaeWeights weights, Backend backend) {
    parts =
        new SaeParts(
            config,
            weights,
            backend,
            EnumSet.of(SaeWeight.b_gate, SaeWeight.b_mag, SaeWeight.r_mag));
    // A rounded sum has the sign of the exact one, so pre + b_gate > 0 is pre > −b_gate.
    threshold = parts.get(SaeWeight.b_gate).map(b -> -b);
    float[] logarithms = parts.get(SaeWeight.r_mag).toArray();
    scale = new double[logarithms.length];
    Arrays.setAll(scale, f -> Math.exp(logarithms[f]));
    magnitude = parts.get(SaeWeight.b_mag).toArray();
  }

  @Override
  public SaeConfig config() {
    return parts.config();
  }

  @Override
  public SaeWeights weights() {
    return parts.weights();
  }

  @Override
  public Tensor decoderRow(int feature) {
    return parts.decoderRow(feature);
  }

  @Override
  public Backend backend() {
    return parts.backend();
  }

  /**
   * Returns the magnitudes before their relu, pre·exp(r_mag) + b_mag, [..., d_sae], as SAELens
   * shows them.
   */
  @Override
  public Tensor preActivations(Tensor x) {
    Tensor pre = parts.preActivations(x);
    float[] values = pre.toArray();
    for (int i = 0; i < values.length; i++) {
      values[i] = magnitude(values[i], i % scale.length);
    }
    return Tensor.wrap(pre.shape(), values);
  }

  @Override
  public SparseFeatures encode(Tensor x) {
    SparseRows open = parts.above(x, threshold);
    return SparseFeatures.active(parts.leading(x), open, this::magnitude);
  }

  private float magnitude(float pre, int feature) {
    return (float) (pre * scale[feature] + magnitude[feature]);
  }

  @Override
  public Tensor decode(SparseFeatures features, Tensor x) {
    return parts.decode(features, x);
  }

  @Override
  public Tensor decode(SparseFeatures features) {
    return parts.decode(features);
  }
}
