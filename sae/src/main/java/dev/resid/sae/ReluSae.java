package dev.resid.sae;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.EnumSet;

/** f = relu(pre), the architecture of Bricken et al. 2023 and of most published SAEs. */
public final class ReluSae implements Sae {
  private final SaeParts parts;
  private final Tensor threshold;

  ReluSae(SaeConfig config, SaeWeights weights, Backend backend) {
    parts = new SaeParts(config, weights, backend, EnumSet.of(SaeWeight.b_enc));
    threshold = Tensor.zeros(Shape.of(Axis.D_SAE, config.dSae()));
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
