package dev.resid.sae;

import dev.resid.tensor.Backend;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import java.util.EnumSet;

/**
 * f = the k largest pre-activations of a row, then relu (Gao et al. 2024). Where decoder norms
 * weigh them ({@link SaeConfig.TopKScale#DECODER_NORM}), features are the weighed ones, and
 * decoding divides by the norms again; a feature whose decoder row is 0 is never active.
 */
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
    SparseRows largest = parts.largest(x, parts.config().k().getAsInt());
    return SparseFeatures.active(parts.leading(x), largest, (value, feature) -> value);
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
