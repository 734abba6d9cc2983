package dev.resid.sae;

import dev.resid.hook.Intervention;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import java.util.EnumSet;

/** f = pre where pre exceeds its threshold and 0, else 0 (Rajamanoharan et al. 2024). */
public final class JumpReluSae implements Sae {
  private final SaeParts parts;

  JumpReluSae(SaeConfig config, SaeWeights weights, Backend backend) {
    parts =
        new SaeParts(config, weights, backend, EnumSet.of(SaeWeight.b_enc, SaeWeight.threshold));
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
    float[] threshold = parts.get(SaeWeight.threshold).toArray();
    for (int i = 0; i < values.length; i++) {
      values[i] = values[i] > threshold[i % threshold.length] ? Math.max(values[i], 0) : 0;
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
