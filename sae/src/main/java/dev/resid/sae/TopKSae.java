package dev.resid.sae;

import dev.resid.hook.Intervention;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import java.util.EnumSet;

/** f = the k largest pre-activations of a row, then relu (Gao et al. 2024). */
public final class TopKSae implements Sae {
  private final SaeParts parts;

  TopKSae(SaeConfig config, SaeWeights weights, Backend backend) {
    parts = new SaeParts(config, weights, backend, EnumSet.of(SaeWeight.b_enc));
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
    TopK top = parts.backend().topK(pre, parts.config().k().getAsInt());
    float[] kept = new float[Math.toIntExact(pre.elements())];
    int width = parts.config().dSae();
    for (int i = 0; i < top.indices().length; i++) {
      int row = i / top.k();
      kept[row * width + top.indices()[i]] = Math.max(top.values()[i], 0);
    }
    return SparseFeatures.of(Tensor.wrap(pre.shape(), kept));
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
