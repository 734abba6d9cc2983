package dev.resid.sae;

import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import java.util.EnumSet;

/** f = pre where pre exceeds its threshold and 0, else 0 (Rajamanoharan et al. 2024). */
public final class JumpReluSae implements Sae {
  private final SaeParts parts;
  private final Tensor threshold;

  JumpReluSae(SaeConfig config, SaeWeights weights, Backend backend) {
    parts =
        new SaeParts(config, weights, backend, EnumSet.of(SaeWeight.b_enc, SaeWeight.threshold));
    // A threshold below 0 lets through what the relu then makes 0.
    threshold = parts.get(SaeWeight.threshold).map(t -> Math.max(t, 0));
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

  @Override
  public Tensor preActivations(Tensor x) {
    return parts.preActivations(x);
  }

  @Override
  public SparseFeatures encode(Tensor x) {
    return SparseFeatures.of(parts.leading(x), parts.above(x, threshold));
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
