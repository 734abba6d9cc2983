package dev.resid.sae.metric;

import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import java.util.Optional;

/** Cosines between the encoder and the decoder direction of every feature. */
public final class FeatureCosines {
  private FeatureCosines() {}

  /**
   * Returns cos(W_enc[:, i], W_dec[i, :]) of every feature, [d_sae], in float64; 0 where one of
   * both is 0. Nothing for a transcoder whose input and output are of different widths.
   *
   * @param sae whose weights are read
   */
  public static Optional<double[]> of(Sae sae) {
    SaeWeights weights = sae.weights();
    int width = weights.dIn();
    if (weights.dOut() != width) {
      return Optional.empty();
    }
    int dSae = weights.dSae();
    float[] encoder = weights.get(SaeWeight.W_enc).toArray();
    float[] decoder = weights.get(SaeWeight.W_dec).toArray();
    double[] product = new double[dSae];
    double[] squares = new double[dSae];
    for (int c = 0; c < width; c++) {
      for (int i = 0; i < dSae; i++) {
        double e = encoder[c * dSae + i];
        product[i] += e * decoder[i * width + c];
        squares[i] += e * e;
      }
    }
    for (int i = 0; i < dSae; i++) {
      double square = 0;
      for (int c = 0; c < width; c++) {
        square += (double) decoder[i * width + c] * decoder[i * width + c];
      }
      double norms = Math.sqrt(squares[i]) * Math.sqrt(square);
      product[i] = norms == 0 ? 0 : product[i] / norms;
    }
    return Optional.of(product);
  }
}
