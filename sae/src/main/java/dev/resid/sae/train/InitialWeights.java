package dev.resid.sae.train;

import dev.resid.random.CounterRandom;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Tensor;
import java.util.EnumMap;
import java.util.Map;

/** Where the parameters of an SAE start. */
final class InitialWeights {
  private static final int DIRECTIONS = 3;
  private static final int ENCODER = 4;
  private static final int DECODER = 5;

  private final int dIn;
  private final int dSae;
  private final long seed;

  InitialWeights(int dIn, int dSae, long seed) {
    this.dIn = dIn;
    this.dSae = dSae;
    this.seed = seed;
  }

  /** Returns zeros, to be overwritten. */
  Map<SaeWeight, Tensor> zeros() {
    Map<SaeWeight, Tensor> zeros = new EnumMap<>(SaeWeight.class);
    for (SaeWeight weight :
        new SaeWeight[] {SaeWeight.W_enc, SaeWeight.b_enc, SaeWeight.W_dec, SaeWeight.b_dec}) {
      zeros.put(weight, Tensor.zeros(weight.shape(dIn, dSae, dIn)));
    }
    return zeros;
  }

  /**
   * Returns random unit decoder rows and as encoder their transpose times a factor.
   *
   * @param factor 2·d_in/d_sae makes the reconstruction the input, on average over half-active
   *     features
   * @param decoderBias b_dec, [out]
   */
  Map<SaeWeight, Tensor> tied(double factor, double[] decoderBias) {
    float[] rows = new float[Math.multiplyExact(dIn, dSae)];
    CounterRandom random = new CounterRandom(seed);
    for (int i = 0; i < dSae; i++) {
      random.fillNormal(i, DIRECTIONS, rows, i * dIn, dIn);
    }
    DecoderRows.normalize(rows, dIn);
    float[] columns = new float[rows.length];
    for (int i = 0; i < dSae; i++) {
      for (int c = 0; c < dIn; c++) {
        columns[c * dSae + i] = (float) (factor * rows[i * dIn + c]);
      }
    }
    return of(columns, rows, decoderBias);
  }

  /**
   * Returns Kaiming-uniform weights: W_enc from ±√(6/d_sae), W_dec from ±√(6/d_in).
   *
   * @param decoderBias b_dec, [out]
   */
  Map<SaeWeight, Tensor> kaiming(double[] decoderBias) {
    return of(
        uniform(ENCODER, Math.sqrt(6.0 / dSae)),
        uniform(DECODER, Math.sqrt(6.0 / dIn)),
        decoderBias);
  }

  private float[] uniform(int stream, double bound) {
    CounterRandom random = new CounterRandom(seed);
    float[] values = new float[Math.multiplyExact(dIn, dSae)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (bound * (2 * random.uniform(i, stream, 0) - 1));
    }
    return values;
  }

  private Map<SaeWeight, Tensor> of(float[] encoder, float[] decoder, double[] decoderBias) {
    float[] bias = new float[dIn];
    for (int c = 0; c < dIn; c++) {
      bias[c] = (float) decoderBias[c];
    }
    Map<SaeWeight, Tensor> weights = zeros();
    weights.put(SaeWeight.W_enc, Tensor.wrap(SaeWeight.W_enc.shape(dIn, dSae, dIn), encoder));
    weights.put(SaeWeight.W_dec, Tensor.wrap(SaeWeight.W_dec.shape(dIn, dSae, dIn), decoder));
    weights.put(SaeWeight.b_dec, Tensor.wrap(SaeWeight.b_dec.shape(dIn, dSae, dIn), bias));
    return weights;
  }
}
