package dev.resid.sae;

import dev.resid.hook.Intervention;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import java.util.EnumSet;

/** f = relu(pre·exp(r_mag) + b_mag) where pre + b_gate exceeds 0 (Rajamanoharan et al. 2024). */
public final class GatedSae implements Sae {
  private final SaeParts parts;

  GatedSae(SaeConfig config, SaeWeights weights, Backend backend) {
    parts =
        new SaeParts(
            config,
            weights,
            backend,
            EnumSet.of(SaeWeight.b_gate, SaeWeight.b_mag, SaeWeight.r_mag));
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
  public Backend backend() {
    return parts.backend();
  }

  @Override
  public Tensor preActivations(Tensor x) {
    return parts.preActivations(x);
  }

  @Override
  public SparseFeatures encode(Tensor x) {
    Tensor pre = preActivations(x);
    float[] values = pre.toArray().clone();
    float[] gate = parts.get(SaeWeight.b_gate).toArray();
    float[] magnitude = parts.get(SaeWeight.b_mag).toArray();
    float[] scale = parts.get(SaeWeight.r_mag).toArray();
    for (int i = 0; i < values.length; i++) {
      int f = i % gate.length;
      values[i] =
          values[i] + gate[f] > 0
              ? Math.max((float) (values[i] * Math.exp(scale[f])) + magnitude[f], 0)
              : 0;
    }
    return SparseFeatures.of(Tensor.wrap(pre.shape(), values));
  }

  @Override
  public Tensor decode(SparseFeatures features, Tensor x) {
    return parts.decode(features, x);
  }

  @Override
  public Tensor decode(SparseFeatures features) {
    return parts.decode(features);
  }

  @Override
  public Intervention splice(SpliceMode mode, FeatureEdit... edits) {
    return parts.splice(this, mode, edits);
  }
}
